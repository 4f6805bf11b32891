import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Classes below a folder that `java` could start, sorted: "com.example.Main". */
export async function findMainClasses(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.class'));
  const found = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path)
        .replace(/\.class$/, '')
        .replaceAll('/', '.');
      /** Where the folder is not the root of its package, java would not find it. */
      const facts = readClass(await readFile(path));
      return facts?.hasMain === true && facts.name === name ? [name] : [];
    }),
  );
  return found.flat().sort();
}

const MAGIC = 0xcafebabe;
const PUBLIC_STATIC = 0x0009;
/** Bytes after the tag of a constant pool entry; Utf8 (1) has a length. Long and Double (5, 6) take two places. */
const CONSTANT_BYTES = new Map([
  ...[8, 16, 19, 20].map((tag) => [tag, 2] as const),
  [15, 3],
  ...[3, 4, 9, 10, 11, 12, 17, 18].map((tag) => [tag, 4] as const),
  ...[5, 6].map((tag) => [tag, 8] as const),
]);

const OUTSIDE = new Set(['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS']);

export interface ClassFacts {
  /** "com.example.Main". */
  readonly name: string;
  /** `public static void main(String[])`. */
  readonly hasMain: boolean;
}

/** Undefined for what is no class file. https://docs.oracle.com/javase/specs/jvms/se25/html/jvms-4.html */
export function readClass(bytes: Buffer): ClassFacts | undefined {
  try {
    return parseClass(bytes);
  } catch (error) {
    if (OUTSIDE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined; // cut off
    throw error;
  }
}

function parseClass(bytes: Buffer): ClassFacts | undefined {
  if (bytes.readUInt32BE(0) !== MAGIC) return undefined;
  const texts = new Map<number, string>();
  const classNames = new Map<number, number>();
  let at = 10;
  const count = bytes.readUInt16BE(8);
  for (let index = 1; index < count; index++) {
    const tag = bytes.readUInt8(at++);
    const length = bytes.readUInt16BE(at);
    if (tag === 1) {
      texts.set(index, bytes.toString('utf8', at + 2, at + 2 + length));
      at += 2 + length;
    } else if (tag === 7) {
      classNames.set(index, length);
      at += 2;
    } else {
      const size = CONSTANT_BYTES.get(tag);
      if (size === undefined) return undefined;
      at += size;
      if (size === 8) index++;
    }
  }
  const name = texts.get(classNames.get(bytes.readUInt16BE(at + 2)) ?? 0);
  at += 6; // access flags, this class, super class
  at += 2 + 2 * bytes.readUInt16BE(at); // interfaces
  const readMembers = () => {
    const memberCount = bytes.readUInt16BE(at);
    at += 2;
    let hasMain = false;
    for (let index = 0; index < memberCount; index++) {
      const [flags = 0, memberName = 0, type = 0, attributeCount = 0] = [0, 2, 4, 6].map((offset) =>
        bytes.readUInt16BE(at + offset),
      );
      at += 8;
      for (let attribute = 0; attribute < attributeCount; attribute++) at += 6 + bytes.readUInt32BE(at + 2);
      hasMain ||=
        (flags & PUBLIC_STATIC) === PUBLIC_STATIC &&
        texts.get(memberName) === 'main' &&
        texts.get(type) === '([Ljava/lang/String;)V';
    }
    return hasMain;
  };
  readMembers(); // fields
  return name === undefined ? undefined : { name: name.replaceAll('/', '.'), hasMain: readMembers() };
}
