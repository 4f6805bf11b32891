import { basename } from 'node:path';
import { parseManifest } from '../jar/manifest.ts';
import { parseProperties } from '../jar/properties.ts';
import { readZip, readZipEntry, type ZipEntry } from '../jar/read-zip.ts';
import { digestOf } from '../oci/blob-store.ts';
import { parsePomLicences } from './pom-licences.ts';

/** A jar, with what tells where it comes from. */
export interface Library extends Coordinates {
  /** In the image, "!/" before what lies in another jar: "app/shop.jar!/BOOT-INF/lib/tomcat-embed-core-10.1.41.jar". */
  readonly path: string;
  /** "sha256:…" of the jar. */
  readonly digest: string;
  /** What was merged into it. */
  readonly merged: readonly Coordinates[];
  readonly nested: readonly Library[];
}

export interface Coordinates {
  /** Maven's; absent: only the file's name or its manifest told. */
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  /** As they are written there: names, or SPDX identifiers. */
  readonly licences: readonly string[];
}

const POM_FILE = /^META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.(properties|xml)$/;
const ARCHIVE = /\.[jw]ar$/i;
/** Of one file in a jar that is read as text. */
const MAX_TEXT_BYTES = 1 << 20;
/** Of a jar in a jar; a larger one is listed and not opened. */
const MAX_NESTED_BYTES = 256 << 20;
/** Jars in jars in jars. */
const MAX_DEPTH = 3;

/** What a jar tells of itself and of the jars in it. `source`: the file, or its content. */
export async function inspectLibrary(
  source: string | Buffer,
  path: string,
  digest: string,
  depth = 1,
): Promise<Library> {
  const poms = new Map<string, Pom>();
  const nested: Library[] = [];
  let attributes: ReadonlyMap<string, string> = new Map();
  for await (const entry of readZip(source)) {
    const [, group = '', name = '', kind] = POM_FILE.exec(entry.name) ?? [];
    if (kind !== undefined) {
      const pom = { ...(poms.get(`${group}:${name}`) ?? { group, name, licences: [] }) };
      const text = await readText(entry);
      const version = kind === 'properties' ? parseProperties(text).get('version') : undefined;
      if (version !== undefined) pom.version = version;
      if (kind === 'xml') pom.licences = parsePomLicences(text);
      poms.set(`${group}:${name}`, pom);
    } else if (entry.name.toUpperCase() === 'META-INF/MANIFEST.MF') attributes = parseManifest(await readText(entry));
    else if (ARCHIVE.test(entry.name) && depth < MAX_DEPTH && entry.sizeBytes <= MAX_NESTED_BYTES)
      nested.push(await inspectNested(entry, `${path}!/${entry.name}`, depth + 1));
  }
  const all = [...poms.values()];
  const own = chooseOwn(all, basename(path));
  return {
    path,
    digest,
    ...(own ?? nameByFile(basename(path), attributes)),
    merged: all.filter((pom) => pom !== own),
    nested,
  };
}

interface Pom {
  readonly group: string;
  readonly name: string;
  version?: string;
  licences: readonly string[];
}

/** One that cannot be read is listed by its name. */
async function inspectNested(entry: ZipEntry, path: string, depth: number): Promise<Library> {
  const content = await readZipEntry(entry);
  const digest = digestOf(content);
  return await inspectLibrary(content, path, digest, depth).catch(() => ({
    path,
    digest,
    ...nameByFile(basename(path), new Map()),
    merged: [],
    nested: [],
  }));
}

async function readText(entry: ZipEntry): Promise<string> {
  return (await readZipEntry(entry)).subarray(0, MAX_TEXT_BYTES).toString('utf8');
}

/** The pom that the file is named after; Quarkus puts the group in front. An only one is the jar's own under any name. */
function chooseOwn(poms: readonly Pom[], file: string): Pom | undefined {
  const stem = file.replace(ARCHIVE, '');
  const named = poms
    .filter(({ group, name }) =>
      [name, `${group}.${name}`].some((start) => stem === start || stem.startsWith(`${start}-`)),
    )
    .sort((a, b) => b.name.length - a.name.length);
  return named[0] ?? (poms.length === 1 ? poms[0] : undefined);
}

/** "guava-33.4.8-jre.jar", else what the manifest says of the version. */
function nameByFile(file: string, attributes: ReadonlyMap<string, string>): Coordinates {
  const [, name = file, fromName] = /^(.+?)(?:-(\d.*))?$/.exec(file.replace(ARCHIVE, '')) ?? [];
  const version = fromName ?? attributes.get('implementation-version') ?? attributes.get('bundle-version');
  const licence = attributes.get('bundle-license')?.split(';')[0]?.trim();
  return {
    name,
    ...(version === undefined ? {} : { version: version.trim() }),
    licences: licence === undefined || licence === '' ? [] : [licence],
  };
}
