import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { CracBuildError } from '../errors.ts';
import { composeDirectory, composeFile, type TarEntry } from '../tar/entry.ts';
import { readTar } from '../tar/read-tar.ts';
import { openTar } from '../tar/write-tar.ts';
import type { Toolbox } from '../world.ts';
import { placeToolbox, toolboxFolder } from './toolbox.ts';

/** Writes a toolbox as a .tar.gz, the same bytes for the same toolbox; gives its "sha256:…". */
export async function exportToolbox(
  toolbox: Toolbox,
  file: string,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const partial = `${file}.partial-${randomUUID()}`;
  try {
    await pipeline(openTar(await listToolboxEntries(toolbox)), createGzip({ level: 9 }), createWriteStream(partial));
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  return { digest: await readDigest(file), sizeBytes: (await stat(file)).size };
}

/** A toolbox's files, as they are exported and as they go into the build container below `prefix`. */
export async function listToolboxEntries({ dir }: Pick<Toolbox, 'dir'>, prefix = ''): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const localPath = join(entry.parentPath, entry.name);
    const path = prefix + relative(dir, localPath);
    if (entry.isDirectory()) entries.push(composeDirectory(path));
    else entries.push(composeFile(path, { localPath, sizeBytes: (await stat(localPath)).size }, 0o755));
  }
  return entries;
}

/** Takes a toolbox from a path or http(s) URL, of which `digest` ("sha256:…" or hex) must be the digest where it is given; a URL needs one. */
export async function importToolbox(
  source: string,
  options: { readonly digest?: string | undefined; readonly cacheDir: string; readonly signal: AbortSignal },
): Promise<Toolbox> {
  const { cacheDir, signal } = options;
  const wanted = options.digest?.replace(/^sha256:/, '').toLowerCase();
  if (wanted !== undefined && !/^[0-9a-f]{64}$/.test(wanted)) {
    throw new CracBuildError('USAGE', `${options.digest} is no sha256 digest`, {
      hint: 'It has 64 hexadecimal digits.',
    });
  }
  const isUrl = /^https?:\/\//.test(source);
  if (isUrl && wanted === undefined) {
    throw new CracBuildError('USAGE', 'a toolbox from a URL needs its digest', {
      hint: 'Give the sha256 that `crac-build toolbox --export` printed.',
    });
  }
  const dir = toolboxFolder(cacheDir);
  await mkdir(dirname(dir), { recursive: true });
  const download = `${dir}.download-${randomUUID()}`;
  try {
    const file = isUrl ? download : source;
    if (isUrl) await downloadTo(source, download, signal);
    await requireDigest(file, wanted, source);
    return await placeToolbox(dir, signal, (partial) => unpack(file, partial, source));
  } finally {
    await rm(download, { force: true });
  }
}

async function downloadTo(url: string, file: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status} ${response.statusText}`);
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file), { signal });
  } catch (cause) {
    if (signal.aborted) throw new CracBuildError('INTERRUPTED', 'interrupted', { cause });
    const words = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new CracBuildError('TOOLBOX_MISSING', `the toolbox cannot be taken from ${url}: ${words}`, { cause });
  }
}

async function requireDigest(file: string, wanted: string | undefined, source: string): Promise<void> {
  const actual = await readDigest(file).catch((cause: unknown) => {
    throw new CracBuildError('TOOLBOX_MISSING', `${source} cannot be read`, { cause });
  });
  if (wanted === undefined || actual === `sha256:${wanted}`) return;
  throw new CracBuildError(
    'TOOLBOX_MISSING',
    `${source} is not the toolbox that was named: it has the digest ${actual}`,
    {
      hint: `sha256:${wanted} was wanted. Nothing was changed.`,
    },
  );
}

async function unpack(file: string, dir: string, source: string): Promise<void> {
  try {
    const tar = createReadStream(file).pipe(createGunzip());
    for await (const { header, content } of readTar(tar)) {
      const path = join(dir, header.path);
      if (header.type === 'directory') {
        await mkdir(path, { recursive: true });
      } else if (header.type === 'file') {
        await mkdir(dirname(path), { recursive: true });
        await pipeline(Readable.from(content), createWriteStream(path, { flags: 'wx' }));
        await chmod(path, 0o755);
      } else {
        throw new Error(`a toolbox holds no ${header.type}`);
      }
    }
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CracBuildError('TOOLBOX_MISSING', `${source} is no toolbox: ${words}`, {
      hint: 'It must be a file that `crac-build toolbox --export` wrote.',
      cause,
    });
  }
}

async function readDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}
