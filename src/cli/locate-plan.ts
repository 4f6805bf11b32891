import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { readLayoutFolder } from '../oci/read-file.ts';
import { LAYOUT_FILE } from '../oci/spec.ts';
import { PLAN_BASE, RESTORER_END } from '../restore-plan/format.ts';

export interface LocatedPlan {
  /** Where it was found, for people. */
  readonly place: string;
  readonly plan: Buffer;
  /** Of the mem.bin beside it; absent: only the plan was given. */
  readonly memBytes?: number;
}

const FOLDER = 'opt/crac/checkpoint';
const PLAN_FILE = 'plan.bin';
const MEM_FILE = 'mem.bin';
const LAYOUT_PREFIX = 'oci:';
/** What the restorer has room for. */
const MAX_PLAN_BYTES = RESTORER_END - PLAN_BASE;

/** A plan.bin, a folder with one, or an OCI image layout (`oci:DIR` as for outputs, or just DIR). */
export async function locatePlan(target: string): Promise<LocatedPlan> {
  const path = target.startsWith(LAYOUT_PREFIX) ? target.slice(LAYOUT_PREFIX.length) : target;
  const found = await sizeOf(path);
  if (found === undefined) throw new CracBuildError('INPUT_NOT_FOUND', `${path} is not there`, { hint: FORMS });
  if (!found.isFolder) return { place: path, plan: await readPlan(path, found.sizeBytes) };
  if (target.startsWith(LAYOUT_PREFIX) || (await sizeOf(join(path, LAYOUT_FILE.name))) !== undefined)
    return await readFromLayout(path);
  return await readFromFolder(path);
}

const FORMS = 'Give a plan.bin, a folder with one, or an OCI image layout.';

async function readFromFolder(dir: string): Promise<LocatedPlan> {
  const path = join(dir, PLAN_FILE);
  const found = await sizeOf(path);
  if (found === undefined) throw new CracBuildError('INPUT_NOT_FOUND', `${dir} holds no ${PLAN_FILE}`, { hint: FORMS });
  const mem = await sizeOf(join(dir, MEM_FILE));
  const plan = await readPlan(path, found.sizeBytes);
  return { place: path, plan, ...(mem === undefined ? {} : { memBytes: mem.sizeBytes }) };
}

async function readFromLayout(dir: string): Promise<LocatedPlan> {
  const files = await readLayoutFolder(dir, FOLDER, PLAN_FILE, MAX_PLAN_BYTES);
  const found = files.get(PLAN_FILE);
  if (found === undefined)
    throw new CracBuildError('INPUT_NOT_FOUND', `the image in ${dir} holds no checkpoint`, {
      hint: 'Give an image that `crac-build build` has made.',
    });
  const mem = files.get(MEM_FILE);
  const plan = found.content ?? refuseSize(`/${FOLDER}/${PLAN_FILE}`, found.sizeBytes);
  return { place: `${dir}: /${FOLDER}/${PLAN_FILE}`, plan, ...(mem === undefined ? {} : { memBytes: mem.sizeBytes }) };
}

async function readPlan(path: string, sizeBytes: number): Promise<Buffer> {
  return sizeBytes > MAX_PLAN_BYTES ? refuseSize(path, sizeBytes) : await readFile(path);
}

function refuseSize(path: string, sizeBytes: number): never {
  throw new CracBuildError('IMAGE_INVALID', `${path} has ${sizeBytes} bytes, which is too much for a restore plan`, {
    hint: FORMS,
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
