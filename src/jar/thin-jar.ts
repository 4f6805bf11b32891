import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { parseManifest, renderManifest } from './manifest.ts';
import { readZipEntry, useZip, type ZipEntry } from './read-zip.ts';

const MANIFEST = 'META-INF/MANIFEST.MF';
/** For the loader, and of a signature that would no longer be right. */
const LEFT_OUT =
  /^(?:BOOT-INF\/(?!classes\/)|org\/springframework\/boot\/loader\/|META-INF\/services\/java\.nio\.file\.spi\.FileSystemProvider$|META-INF\/[^/]+\.(?:SF|RSA|DSA|EC)$)/i;
/** What tells the loader where things are. */
const LOADER_ATTRIBUTES = /^(?:main-class|class-path|start-class|spring-boot-(?!version).*)$/i;
/** A zip's times have no zone: written from the local time, they are the same bytes everywhere. */
const FIXED_TIME = new Date(1980, 0, 1, 0, 0, 0);

/**
 * Writes the app's own part of a Spring Boot jar as a jar of its own: classes at its root, uncompressed (the layer is
 * compressed), the libraries in its Class-Path. The same bytes for the same jar, in the order of the names.
 */
export async function writeThinJar(jar: string, classPath: readonly string[], target: string): Promise<void> {
  await useZip(jar, async (entries) => {
    const files = new Map<string, ZipEntry>();
    let manifest = '';
    for (const entry of entries) {
      if (entry.name.toUpperCase() === MANIFEST) manifest = (await readZipEntry(entry)).toString('utf8');
      else if (!LEFT_OUT.test(entry.name)) {
        const name = entry.name.replace(/^BOOT-INF\/classes\//, '');
        /** META-INF may be in both; what lay on the app's class path is the one that it saw. */
        if (name !== entry.name || !files.has(name)) files.set(name, entry);
      }
    }
    await writeZip(Buffer.from(composeThinManifest(manifest, classPath)), files, target);
  });
}

async function writeZip(manifest: Buffer, files: ReadonlyMap<string, ZipEntry>, target: string): Promise<void> {
  const zip = new ZipFile();
  const out = zip.outputStream as PassThrough;
  const written = pipeline(out, createWriteStream(target));
  written.catch(() => undefined); // told below
  const times = { mtime: FIXED_TIME, forceDosTimestamp: true };
  const options = { ...times, mode: 0o100644, compress: false };
  zip.addBuffer(manifest, MANIFEST, options);
  for (const folder of listFolders([...files.keys(), MANIFEST]))
    zip.addEmptyDirectory(folder, { ...times, mode: 0o40755 });
  for (const [name, entry] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    zip.addBuffer(await readZipEntry(entry), name, options);
    /** It writes on whether somebody reads or not. */
    if (out.writableNeedDrain) await Promise.race([once(out, 'drain'), written]);
  }
  zip.end();
  await written;
}

/** A search for the classes of a package finds it by its folder. */
function listFolders(files: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const file of files)
    for (let at = file.lastIndexOf('/'); at > 0; at = file.lastIndexOf('/', at - 1)) folders.add(file.slice(0, at));
  return [...folders].sort();
}

/** Everything else that the manifest says is kept: versions, Add-Opens, Multi-Release, … */
export function composeThinManifest(manifest: string, classPath: readonly string[]): string {
  const [main = ''] = manifest.split(/\r\n\r\n|\r\r|\n\n/, 1);
  const kept = main
    .split(/\r\n|\r|\n/)
    .reduce<string[]>((lines, line) => {
      if (line.startsWith(' ') && lines.length > 0) lines[lines.length - 1] += line.slice(1);
      else lines.push(line);
      return lines;
    }, [])
    .flatMap((line): readonly (readonly [string, string])[] => {
      const match = /^([A-Za-z0-9_-]+): ?(.*)$/.exec(line);
      return match?.[1] === undefined || LOADER_ATTRIBUTES.test(match[1]) ? [] : [[match[1], match[2] ?? '']];
    });
  const isVersion = ([name]: readonly [string, string]) => name.toLowerCase() === 'manifest-version';
  return renderManifest([
    ['Manifest-Version', '1.0'],
    ['Main-Class', parseManifest(manifest).get('start-class')?.trim() ?? ''],
    ['Class-Path', classPath.map(encodePath).join(' ')],
    ...kept.filter((attribute) => !isVersion(attribute)),
  ]);
}

/** As a URL relative to the jar. */
function encodePath(path: string): string {
  return encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
}
