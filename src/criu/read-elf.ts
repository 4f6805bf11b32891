import { open } from 'node:fs/promises';

/** What a program needs to run, from its own headers: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html */
export interface ElfNeeds {
  /** Path of its loader; absent in libraries and static programs. */
  readonly interpreter: string | undefined;
  readonly libraries: readonly string[];
  /** Its dynamic strings, each with a NUL: what it imports and exports, and more; one may be the end of another. */
  readonly names: string;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly fileSize: number;
}

/** Undefined when the file is not a 64-bit little-endian ELF file. */
export async function readElfNeeds(path: string): Promise<ElfNeeds | undefined> {
  const file = await open(path);
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
      return undefined;
    const segments = await readSegments(file, header);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    return {
      interpreter: interpreter && cutString(await readAt(file, interpreter.offset, interpreter.fileSize), 0),
      ...(dynamic === undefined ? { libraries: [], names: '' } : await readDynamic(file, segments, dynamic)),
    };
  } finally {
    await file.close();
  }
}

type File = Awaited<ReturnType<typeof open>>;

async function readSegments(file: File, header: Buffer): Promise<readonly Segment[]> {
  const offset = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  const table = await readAt(file, offset, size * header.readUInt16LE(56));
  const segments: Segment[] = [];
  for (let at = 0; at + 56 <= table.length; at += size) {
    segments.push({
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: table.readBigUInt64LE(at + 16),
      fileSize: Number(table.readBigUInt64LE(at + 32)),
    });
  }
  return segments;
}

async function readDynamic(
  file: File,
  segments: readonly Segment[],
  dynamic: Segment,
): Promise<Pick<ElfNeeds, 'libraries' | 'names'>> {
  const table = await readAt(file, dynamic.offset, dynamic.fileSize);
  const values = (wanted: bigint): bigint[] => {
    const found: bigint[] = [];
    for (let at = 0; at + 16 <= table.length; at += 16)
      if (table.readBigInt64LE(at) === wanted) found.push(table.readBigUInt64LE(at + 8));
    return found;
  };
  const [address] = values(DT_STRTAB);
  const home = segments.find(
    (segment) =>
      segment.type === PT_LOAD &&
      address !== undefined &&
      segment.address <= address &&
      address < segment.address + BigInt(segment.fileSize),
  );
  if (home === undefined || address === undefined) return { libraries: [], names: '' };
  const within = Number(address - home.address);
  const size = Math.min(Number(values(DT_STRSZ)[0] ?? 0n), home.fileSize - within);
  const strings = await readAt(file, home.offset + within, size);
  return {
    libraries: values(DT_NEEDED).map((offset) => cutString(strings, Number(offset))),
    names: strings.toString('latin1'),
  };
}

function cutString(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('latin1', start, end < 0 ? bytes.length : end);
}

async function readAt(file: File, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
