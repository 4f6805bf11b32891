import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline as pipe, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseRelease } from '../base/inspect-jdk.ts';
import { openBlob, openDigestMeter } from '../oci/blob-store.ts';
import { openDecompressor } from '../oci/compression.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import { explainNoSpace } from '../oci/space.ts';
import { readTar } from '../tar/read-tar.ts';
import { type DebianPackage, parseDpkgStatus } from './debian-packages.ts';
import { inspectLibrary, type Library } from './inspect-library.ts';

/** What an image's layers hold, seen from outside: nobody has to be believed what was put in. Later layers win. */
export interface ImageContents {
  readonly files: readonly ImageFile[];
  readonly libraries: readonly Library[];
  readonly jdks: readonly { readonly home: string; readonly release: ReadonlyMap<string, string> }[];
  /** Of the image's own package database. */
  readonly packages: readonly DebianPackage[];
  readonly osRelease: ReadonlyMap<string, string>;
}

export interface ImageFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly digest: string;
  readonly layer: Layer['kind'];
}

interface Found extends ImageFile {
  readonly text?: string;
  readonly library?: Library;
}

const TEXTS = /^(var\/lib\/dpkg\/status|var\/lib\/dpkg\/status\.d\/[^/]+|(etc|usr\/lib)\/os-release|(.*\/)?release)$/;
const ARCHIVE = /\.[jw]ar$/i;
/** A package database of thousands of packages has some megabytes. */
const MAX_TEXT_BYTES = 32 << 20;

/** Reads all layers but the checkpoint. `workDir` takes one jar at a time: it may be larger than memory. */
export async function readImageContents(
  { blobDir, layers }: OciImage,
  workDir: string,
  signal: AbortSignal,
): Promise<ImageContents> {
  const found = new Map<string, Found>();
  for (const layer of layers) {
    if (layer.kind === 'checkpoint') continue;
    const tar = pipe(openBlob(blobDir, layer.digest), openDecompressor(layer.compression), () => undefined);
    for await (const { header, content } of readTar(tar)) {
      signal.throwIfAborted();
      if (isWhiteout(header.path)) removePath(found, header.path);
      else if (header.type === 'file') {
        const what = TEXTS.test(header.path) && header.sizeBytes <= MAX_TEXT_BYTES ? 'text' : 'file';
        found.set(header.path, await look(header.path, layer.kind, content, what, workDir));
      } else if (header.type === 'link') {
        const target = found.get((header.target ?? '').replace(/^(?:\.?\/)+/, ''));
        if (target === undefined) found.delete(header.path);
        else found.set(header.path, nameAgain(target, header.path, layer.kind));
      } else if (header.type !== 'directory') found.delete(header.path);
    }
  }
  return describe([...found.values()]);
}

/** A hard link: the same content under another path. */
function nameAgain({ library, ...file }: Found, path: string, layer: Layer['kind']): Found {
  return { ...file, path, layer, ...(library === undefined ? {} : { library: moveLibrary(library, file.path, path) }) };
}

function moveLibrary(library: Library, from: string, to: string): Library {
  const nested = library.nested.map((each) => moveLibrary(each, from, to));
  return { ...library, path: `${to}${library.path.slice(from.length)}`, nested };
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts */
function isWhiteout(path: string): boolean {
  return /(^|\/)\.wh\.[^/]+$/.test(path);
}

function removePath(found: Map<string, Found>, whiteout: string): void {
  const target = whiteout.replace(/(^|\/)\.wh\.(?:\.wh\.\.opq)?([^/]*)$/, '$1$2').replace(/\/$/, '');
  for (const path of [...found.keys()]) {
    if (target === '' || path === target || path.startsWith(`${target}/`)) found.delete(path);
  }
}

async function look(
  path: string,
  layer: Layer['kind'],
  content: AsyncIterable<Buffer>,
  what: 'text' | 'file',
  workDir: string,
): Promise<Found> {
  const meter = openDigestMeter();
  const source = Readable.from(content);
  if (ARCHIVE.test(path)) {
    const copy = join(workDir, `jar-${randomUUID()}`);
    try {
      await mkdir(workDir, { recursive: true });
      await pipeline(source, meter.stream, createWriteStream(copy));
      const { digest } = meter.takeBlob();
      // What only looks like a jar is a file like any other.
      const library = await inspectLibrary(copy, path, digest).catch(() => undefined);
      return { path, layer, digest, ...(library === undefined ? {} : { library }) };
    } catch (error) {
      throw explainNoSpace(error, `looking into ${path} in ${workDir}`);
    } finally {
      await rm(copy, { force: true });
    }
  }
  const parts: Buffer[] = [];
  await pipeline(source, meter.stream, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) if (what === 'text') parts.push(chunk);
  });
  const { digest } = meter.takeBlob();
  return { path, layer, digest, ...(what === 'text' ? { text: Buffer.concat(parts).toString('utf8') } : {}) };
}

function describe(found: readonly Found[]): ImageContents {
  const textOf = (path: string) => found.find((file) => file.path === path)?.text;
  const jdks = found.flatMap(({ path, text }) => {
    if (text === undefined || !/(^|\/)release$/.test(path)) return [];
    const release = parseRelease(text);
    return release.has('JAVA_VERSION') ? [{ home: dirname(path), release }] : [];
  });
  const isOfJdk = (path: string) => jdks.some(({ home }) => path.startsWith(`${home}/`));
  return {
    files: found.map(({ path, digest, layer }) => ({ path, digest, layer })),
    libraries: found.flatMap(({ path, library }) => (library === undefined || isOfJdk(path) ? [] : [library])),
    jdks,
    packages: found.flatMap(({ path, text }) =>
      text !== undefined && path.startsWith('var/lib/dpkg/') && !path.endsWith('.md5sums') ? parseDpkgStatus(text) : [],
    ),
    osRelease: parseOsRelease(textOf('etc/os-release') ?? textOf('usr/lib/os-release') ?? ''),
  };
}

/** NAME=value, "value" or 'value'. https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z_0-9]+)=(["']?)(.*)\2\s*$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', match[3] ?? ''] as const];
    }),
  );
}
