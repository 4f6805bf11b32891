import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { PLACE_FORMS } from '../oci/place.ts';
import { readLayoutFolder } from '../oci/read-file.ts';
import { PLAN_BASE, RESTORER_END } from '../restore-plan/format.ts';
import type { ImageSource } from '../stages/open-source.ts';
import type { Target } from './open-target.ts';

export interface LocatedFile {
  /** Where it was found, for people. */
  readonly place: string;
  readonly content: Buffer;
  /** Of the mem.bin beside it; absent: only the file was given. */
  readonly memBytes?: number;
}

interface Wanted {
  readonly name: string;
  readonly what: string;
  readonly maxBytes: number;
}

const FOLDER = 'opt/crac/checkpoint';
const PLAN: Wanted = { name: 'plan.bin', what: 'a restore plan', maxBytes: RESTORER_END - PLAN_BASE };
const FACTS: Wanted = { name: 'facts.json', what: 'the facts of a checkpoint', maxBytes: 16 << 20 };
const MEM_FILE = 'mem.bin';

/** A plan.bin, a folder with one, or an image. */
export async function locatePlan(target: Target): Promise<LocatedFile> {
  return await locate(target, PLAN);
}

/** The same for facts.json. */
export async function locateFacts(target: Target): Promise<LocatedFile> {
  return await locate(target, FACTS);
}

async function locate(target: Target, wanted: Wanted): Promise<LocatedFile> {
  if (target.kind === 'image') return await readFromLayout(target.source, wanted);
  const { path } = target;
  const found = await sizeOf(path);
  if (found === undefined) throw new CracBuildError('INPUT_NOT_FOUND', `${path} is not there`, { hint: forms(wanted) });
  if (!found.isFolder) return { place: path, content: await readWanted(path, found.sizeBytes, wanted) };
  return await readFromFolder(path, wanted);
}

function forms({ name }: Wanted): string {
  return `Give a ${name}, a folder with one, or an image: ${PLACE_FORMS}.`;
}

async function readFromFolder(dir: string, wanted: Wanted): Promise<LocatedFile> {
  const path = join(dir, wanted.name);
  const found = await sizeOf(path);
  if (found === undefined)
    throw new CracBuildError('INPUT_NOT_FOUND', `${dir} holds no ${wanted.name}`, { hint: forms(wanted) });
  const mem = await sizeOf(join(dir, MEM_FILE));
  const content = await readWanted(path, found.sizeBytes, wanted);
  return { place: path, content, ...(mem === undefined ? {} : { memBytes: mem.sizeBytes }) };
}

async function readFromLayout(source: ImageSource, wanted: Wanted): Promise<LocatedFile> {
  const { name, maxBytes } = wanted;
  const files = await readLayoutFolder(source, FOLDER, name, maxBytes);
  const found = files.get(name);
  if (found === undefined)
    throw new CracBuildError('INPUT_NOT_FOUND', `the image in ${source.place} holds no checkpoint`, {
      hint: 'Give an image that `crac-build build` has made.',
    });
  const mem = files.get(MEM_FILE);
  const path = `/${FOLDER}/${name}`;
  const content = found.content ?? refuseSize(path, found.sizeBytes, wanted);
  return { place: `${source.place}: ${path}`, content, ...(mem === undefined ? {} : { memBytes: mem.sizeBytes }) };
}

async function readWanted(path: string, sizeBytes: number, wanted: Wanted): Promise<Buffer> {
  return sizeBytes > wanted.maxBytes ? refuseSize(path, sizeBytes, wanted) : await readFile(path);
}

function refuseSize(path: string, sizeBytes: number, wanted: Wanted): never {
  throw new CracBuildError('IMAGE_INVALID', `${path} has ${sizeBytes} bytes, which is too much for ${wanted.what}`, {
    hint: forms(wanted),
  });
}

async function sizeOf(path: string): Promise<{ readonly sizeBytes: number; readonly isFolder: boolean } | undefined> {
  try {
    const status = await stat(path);
    return { sizeBytes: status.size, isFolder: status.isDirectory() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return undefined;
    throw error;
  }
}
