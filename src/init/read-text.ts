import { readFile, stat } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';

/** Recordings are read whole. */
const MAX_MIB = 256;

/** A file that was given to be imported; `flag` is for the hint. */
export async function readImportedText(path: string, flag: string): Promise<string> {
  const found = await statImported(path, flag);
  if (found.sizeBytes > MAX_MIB * 2 ** 20) {
    throw new CracBuildError('INPUT_INVALID', `${path} has ${Math.ceil(found.sizeBytes / 2 ** 20)} MiB`, {
      hint: `Give ${flag} a file of at most ${MAX_MIB} MiB: record less, or without the contents of answers.`,
    });
  }
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  if (text.trim() !== '') return text;
  throw new CracBuildError('INPUT_INVALID', `${path} is empty`, { hint: `Give ${flag} a file with something in it.` });
}

export async function statImported(path: string, flag: string): Promise<{ readonly sizeBytes: number }> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const message = cause.code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be read: ${cause.code}`;
    throw new CracBuildError('INPUT_NOT_FOUND', message, {
      hint: `Correct the file's name after ${flag}.`,
      cause,
    });
  });
  if (found.isFile()) return { sizeBytes: found.size };
  throw new CracBuildError('INPUT_INVALID', `${path} is not a file`, { hint: `Give ${flag} a file.` });
}
