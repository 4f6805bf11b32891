/** What a process saw at every address: pages of the dump, and under those what was mapped and not written. */
import type { Vma } from '../criu/schema.ts';
import type { AddressSpace } from '../hotspot/address-space.ts';
import { isFileArea, MAP } from './areas.ts';
import { PAGE_BYTES } from './format.ts';
import type { MappedFile } from './mapped-files.ts';
import type { ProcessMemory } from './process-memory.ts';

/** `areas`: by address. Pages that were read once stay in memory. */
export function openDumpedMemory(
  areas: readonly Vma[],
  memory: ProcessMemory,
  files: readonly MappedFile[],
): AddressSpace {
  const pages = new Map<number, Buffer | undefined>();
  return { read };

  function read(address: number, length: number): Buffer | undefined {
    const parts: Buffer[] = [];
    for (let at = address; at < address + length; ) {
      const start = at - (at % PAGE_BYTES);
      const page = pageAt(start);
      if (page === undefined) return undefined;
      const part = page.subarray(at - start, Math.min(PAGE_BYTES, address + length - start));
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  function pageAt(start: number): Buffer | undefined {
    if (!pages.has(start)) pages.set(start, memory.read(start, PAGE_BYTES) ?? readMapped(start));
    return pages.get(start);
  }

  function readMapped(start: number): Buffer | undefined {
    const area = areas.find((vma) => vma.start <= start && start < vma.end);
    if (area === undefined || (area.flags & MAP.shared) !== 0) return undefined;
    const page = Buffer.alloc(PAGE_BYTES);
    if (!isFileArea(area)) return page;
    const file = files.find(({ id }) => id === area.fileId);
    if (file === undefined) return undefined;
    const offset = area.offset + start - area.start;
    memory.readInto(file.localPath, offset, page.subarray(0, Math.max(file.sizeBytes - offset, 0)));
    return page;
  }
}
