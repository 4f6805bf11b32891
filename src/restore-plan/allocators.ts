/**
 * Who gives memory back to the kernel and counts on zeros in it. MADV_DONTNEED does that to anonymous memory; to memory
 * that is mapped from mem.bin it brings back what it held at the checkpoint.
 */
import { basename } from 'node:path';
import { readElfNeeds } from '../criu/read-elf.ts';
import type { MappedFile } from './mapped-files.ts';

/** They call madvise, too, and are known not to count on zeros. */
const KNOWN: readonly RegExp[] = [
  /^libjvm\.so$/, // gives memory back by mapping anew; drops free heap only
  /^libnio\.so$/, // advises on mapped files
  /^libcrac\.so$/, // drops the free heap, which nobody reads before it is written
  /^(libc|ld-linux-x86-64)\.so\./, // glibc clears what its arenas have given back
  /^libcrypto\.so\./, // keeps secrets out of core dumps
  /^lib(netty_tcnative|conscrypt_openjdk_jni)/, // BoringSSL: has a page wiped in children
];

/** Paths of mapped programs and libraries that call or are madvise: jemalloc, mimalloc, tcmalloc, alone or linked into another. */
export async function findAllocators(files: readonly MappedFile[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { path, localPath } of files) {
    if (found.includes(path) || KNOWN.some((name) => name.test(basename(path)))) continue;
    const elf = await readElfNeeds(localPath);
    if (elf?.names.includes('madvise\0')) found.push(path);
  }
  return found;
}
