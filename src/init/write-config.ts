import { rename, rm, writeFile } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';

/** Writes the file whole or not at all; over one that is there only with `force`. */
export async function writeConfig(path: string, text: string, { force }: { readonly force: boolean }): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(force ? part : path, text, { flag: force ? 'w' : 'wx' });
    if (force) await rename(part, path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (force) await rm(part, { force: true });
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
}
