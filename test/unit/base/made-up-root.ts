import type { RootEntry, RootIndex } from '../../../src/base/root-index.ts';

/** A root without layers: text is a file's content, `-> TARGET` a link, null a folder. */
export function makeRoot(files: Readonly<Record<string, string | Buffer | null>>): RootIndex {
  return new Map(Object.entries(files).map(([path, content]) => [path, makeEntry(content)]));
}

export function makeEntry(content: string | Buffer | null): RootEntry {
  const facts = { mode: 0o755, uid: 0, gid: 0, sizeBytes: content?.length ?? 0, target: undefined };
  if (content === null) return { ...facts, type: 'directory' };
  const target = typeof content === 'string' ? /^-> (.+)$/.exec(content)?.[1] : undefined;
  if (target !== undefined) return { ...facts, type: 'symlink', target };
  return { ...facts, type: 'file', content: Buffer.from(content) };
}

interface ElfWishes {
  readonly interpreter?: string;
  readonly bits?: 32 | 64;
  readonly machine?: number;
}

/** The first bytes of a program: header, one program header, the loader's name. */
export function makeElf({ interpreter, bits = 64, machine = 62 }: ElfWishes = {}): Buffer {
  const name = Buffer.from(`${interpreter ?? '/lib64/ld-linux-x86-64.so.2'}\0`);
  const elf = Buffer.alloc(64 + 56 + name.length);
  elf.write('\x7fELF', 'latin1');
  elf[4] = bits === 64 ? 2 : 1;
  elf[5] = 1;
  elf.writeUInt16LE(machine, 18);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(3, 64); // PT_INTERP
  elf.writeBigUInt64LE(120n, 64 + 8);
  elf.writeBigUInt64LE(BigInt(name.length), 64 + 32);
  name.copy(elf, 120);
  return elf;
}

/** What of a JDK counts. */
export function makeJdk(home: string, release: string, elf: ElfWishes = {}): Record<string, string | Buffer | null> {
  return {
    [`${home}/bin/java`]: makeElf(elf),
    [`${home}/release`]: release,
    [`${home}/lib/modules`]: 'x',
    [`${home}/lib/jvm.cfg`]: 'x',
    [`${home}/lib/libjava.so`]: 'x',
    [`${home}/lib/server/libjvm.so`]: 'x',
    [`${home}/lib/server/classes.jsa`]: 'x',
  };
}

export const GLIBC = { 'lib64/ld-linux-x86-64.so.2': 'x' };
