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
      return hasMainMethod(await readFile(path)) ? [name] : [];
    }),
  );
  return found.flat().sort();
}

const MAGIC = 0xcafebabe;
const PUBLIC_STATIC = 0x0009;
/** Bytes after the tag of a constant pool entry; Utf8 (1) has a length. Long and Double take two places. */
const CONSTANT_BYTES: Readonly<Record<number, number>> = {
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 2,
  8: 2,
  9: 4,
  10: 4,
  11: 4,
  12: 4,
  15: 3,
  16: 2,
  17: 4,
  18: 4,
  19: 2,
  20: 2,
};

/**
 * `public static void main(String[])` in a class file; what is none has no such method.
 * https://docs.oracle.com/javase/specs/jvms/se25/html/jvms-4.html
 */
export function hasMainMethod(bytes: Buffer): boolean {
  try {
    return readMethods(bytes).some(
      ({ flags, name, type }) =>
        (flags & PUBLIC_STATIC) === PUBLIC_STATIC && name === 'main' && type === '([Ljava/lang/String;)V',
    );
  } catch (error) {
    if (error instanceof RangeError) return false; // cut off
    throw error;
  }
}

function readMethods(bytes: Buffer) {
  if (bytes.readUInt32BE(0) !== MAGIC) return [];
  const texts = new Map<number, string>();
  let at = 10;
  const count = bytes.readUInt16BE(8);
  for (let index = 1; index < count; index++) {
    const tag = bytes.readUInt8(at);
    if (tag === 1) {
      const length = bytes.readUInt16BE(at + 1);
      texts.set(index, bytes.toString('latin1', at + 3, at + 3 + length));
      at += 3 + length;
    } else {
      const size = CONSTANT_BYTES[tag];
      if (size === undefined) return [];
      at += 1 + size;
      if (tag === 5 || tag === 6) index++;
    }
  }
  at += 6; // access flags, this class, super class
  at += 2 + 2 * bytes.readUInt16BE(at); // interfaces
  const readMembers = () => {
    const members: { readonly flags: number; readonly name: string | undefined; readonly type: string | undefined }[] =
      [];
    const memberCount = bytes.readUInt16BE(at);
    at += 2;
    for (let index = 0; index < memberCount; index++) {
      const [flags, name, type, attributeCount] = [0, 2, 4, 6].map((offset) => bytes.readUInt16BE(at + offset));
      at += 8;
      for (let attribute = 0; attribute < (attributeCount ?? 0); attribute++) at += 6 + bytes.readUInt32BE(at + 2);
      members.push({ flags: flags ?? 0, name: texts.get(name ?? 0), type: texts.get(type ?? 0) });
    }
    return members;
  };
  readMembers(); // fields
  return readMembers();
}
