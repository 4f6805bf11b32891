/** One dump through the decoder and the compile step: it is taken, or refused as an error that people can read. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDump } from '../../../src/criu/read-dump.ts';
import { type ErrorCode, isCracBuildError } from '../../../src/errors.ts';
import { compileDump } from '../../../src/restore-plan/compile-dump.ts';
import type { DumpFiles } from './mutate-dump.ts';
import type { Seed } from './seeds.ts';

const MAX_ALLOCATION_BYTES = 64 << 20;
const MAILBOX = 0x10000000;
/** What a damaged dump may be refused with. */
const REFUSALS: readonly ErrorCode[] = ['CHECKPOINT_FAILED', 'STATE_REFUSED'];
const CPU = [
  { leaf: 1, subleaf: 0, registers: [0, 0, 1 << 28, 1 << 26] },
  { leaf: 0xd, subleaf: 2, registers: [256, 576, 0, 0] },
  { leaf: 0xffffff00, subleaf: 0, registers: [7, 0, 0, 0] },
] as const;

/** Writes into `dir` only what differs from what it holds. */
export function openCaseFolder(dir: string): (files: DumpFiles) => void {
  mkdirSync(dir, { recursive: true });
  let written: DumpFiles = new Map();
  return (files) => {
    for (const name of written.keys()) if (!files.has(name)) rmSync(join(dir, name));
    for (const [name, content] of files) if (written.get(name) !== content) writeFileSync(join(dir, name), content);
    written = files;
  };
}

/** The code of the refusal, or "taken"; anything else that is thrown is what is looked for. */
export async function runCase(dir: string, outDir: string, root: Seed['root'], mode: 'map' | 'read'): Promise<string> {
  if (!existsSync(outDir)) mkdirSync(outDir, { recursive: true });
  try {
    await compileDump(
      readDump(dir),
      {
        cpu: CPU,
        rootFile: async (path) => root.get(path),
        ready: {
          pid: 100,
          mailbox: { address: `0x${MAILBOX.toString(16)}`, sizeBytes: 4096, nonce: '0xffffffffffffffff' },
          nanoOffset: '0x10000800',
          javaVersion: '17',
          gc: 'Serial',
          steps: [],
          resources: [{ fd: 7, action: 'reopen' }],
        },
      },
      mode,
      outDir,
    );
    return 'taken';
  } catch (error) {
    if (isCracBuildError(error) && REFUSALS.includes(error.code)) return error.code;
    throw error;
  }
}

/** A dump of some pages is no reason to ask for much memory: from now on that is an error. */
export function limitAllocations(): void {
  const { alloc, allocUnsafe } = Buffer;
  const check = (size: number): void => {
    if (size > MAX_ALLOCATION_BYTES) throw new Error(`a buffer of ${size} bytes is asked for`);
  };
  Buffer.alloc = (size: number, ...rest: [fill?: string]) => {
    check(size);
    return alloc(size, ...rest);
  };
  Buffer.allocUnsafe = (size) => {
    check(size);
    return allocUnsafe(size);
  };
}
