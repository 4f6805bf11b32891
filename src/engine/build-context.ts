import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { CracBuildError } from '../errors.ts';
import { composeDirectory, composeFile, composeSymlink, type TarEntry } from '../tar/entry.ts';

export interface BuildContext {
  readonly entries: readonly TarEntry[];
  /** The Dockerfile's path in it. */
  readonly dockerfile: string;
}

const IGNORE_FILE = '.dockerignore';
/** Of a Dockerfile that lies outside of its context. */
const BROUGHT_ALONG = '.dockerfile.crac-build';

/**
 * What `docker build` would send: the folder without what FILE.dockerignore or .dockerignore names, as root's, and with modes as
 * they are. The Dockerfile is always there, for the daemon to read; it leaves it out itself where it is ignored.
 */
export async function readBuildContext(folder: string, file: string): Promise<BuildContext> {
  const text = await readFile(file).catch((cause: unknown) => refuse(`the Dockerfile ${file} cannot be read`, cause));
  const rules = await readIgnoreRules(folder, file);
  const inside = relative(folder, file);
  const isOutside = inside.startsWith('..');
  const dockerfile = isOutside ? BROUGHT_ALONG : inside;
  const entries = new Map<string, TarEntry>();
  const ignore = dockerignore.default().add([...rules.split(/\r?\n/)]);
  /** Something below an ignored folder may be wanted again. */
  const hasExceptions = /^\s*!/m.test(rules);
  const walk = async (below: string): Promise<void> => {
    for (const name of await readdir(join(folder, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      const local = join(folder, path);
      const found = await lstat(local);
      const isIgnored = ignore.ignores(path) && path !== dockerfile;
      if (found.isDirectory()) {
        if (!isIgnored) entries.set(path, composeDirectory(path, found.mode & 0o7777));
        if (!isIgnored || hasExceptions) await walk(path);
      } else if (isIgnored) continue;
      else if (found.isSymbolicLink()) entries.set(path, composeSymlink(path, await readlink(local)));
      else if (found.isFile())
        entries.set(path, composeFile(path, { localPath: local, sizeBytes: found.size }, found.mode & 0o7777));
    }
  };
  await walk('').catch((cause: unknown) => refuse(`the build context ${folder} cannot be read`, cause));
  entries.set(dockerfile, composeFile(dockerfile, text));
  /** The daemon reads it, too: so that what had to be sent is not copied into the image. */
  const sentRules = isOutside ? `${rules}\n${BROUGHT_ALONG}\n${IGNORE_FILE}\n` : rules;
  if (sentRules.trim() !== '') entries.set(IGNORE_FILE, composeFile(IGNORE_FILE, Buffer.from(sentRules)));
  return { entries: [...entries.values()], dockerfile };
}

/** The Dockerfile's own rules come instead of the folder's. */
async function readIgnoreRules(folder: string, file: string): Promise<string> {
  for (const path of [join(file, '..', `${basename(file)}${IGNORE_FILE}`), join(folder, IGNORE_FILE)]) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return text;
  }
  return '';
}

function refuse(sentence: string, cause: unknown): never {
  throw new CracBuildError('INPUT_NOT_FOUND', `${sentence}: ${(cause as NodeJS.ErrnoException).code}`, {
    hint: 'Correct --dockerfile (app.dockerfile.file) or --context (app.dockerfile.context).',
    cause,
  });
}
