import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CracBuildError } from '../errors.ts';

export async function writePage(file: string, page: string): Promise<void> {
  await writeFile(file, page).catch((cause: NodeJS.ErrnoException) => {
    throw cannotWrite(file, cause);
  });
}

/** Before the work whose result it is to show. */
export async function requirePlaceForPage(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    throw cannotWrite(file, cause);
  });
}

function cannotWrite(file: string, cause: NodeJS.ErrnoException): CracBuildError {
  return new CracBuildError('INPUT_INVALID', `${file} cannot be written: ${cause.code}`, {
    hint: 'Name a file in a folder that is there and can be written to.',
    cause,
  });
}
