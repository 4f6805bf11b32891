import { open, rename, rm, stat } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';

export interface WrittenFile {
  readonly path: string;
  readonly text: string;
}

/** Writes all files, each whole, or none; over what is there only with `force`. */
export async function writeFiles(files: readonly WrittenFile[], { force }: { readonly force: boolean }): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path, text } of files) {
      if (force) await refuseFolder(path);
      await writeOne(force ? `${path}.part` : path, text, force, made).catch((cause: unknown) => refuse(path, cause));
    }
    if (force)
      for (const { path } of files) await rename(`${path}.part`, path).catch((cause: unknown) => refuse(path, cause));
  } catch (error) {
    for (const path of made) await rm(path, { force: true });
    throw error;
  }
}

async function writeOne(path: string, text: string, force: boolean, made: string[]): Promise<void> {
  const file = await open(path, force ? 'w' : 'wx');
  made.push(path);
  await file.writeFile(text).finally(() => file.close());
}

/** Only rename() would tell, when another file may be there already. */
async function refuseFolder(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) refuse(path, Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' }));
}

function refuse(path: string, cause: unknown): never {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    throw new CracBuildError('USAGE', `${path} is there already`, {
      hint: 'Write over it with --force, or somewhere else with --output FILE; `--output -` prints, of an import the scenarios alone.',
      cause,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') throw cause;
  throw new CracBuildError('INPUT_INVALID', `${path} cannot be written: ${code}`, {
    hint: 'Name a file in a folder that is there and can be written to: --output FILE.',
    cause,
  });
}
