import type { Blob } from '../blob-store.ts';

/** The progress of several blobs as one. */
export function openTally(
  blobs: readonly Blob[],
  onProgress: (doneBytes: number, totalBytes: number) => void,
): { readonly follow: (blob: Blob) => (doneBytes: number) => void } {
  const totalBytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let allDone = 0;
  return {
    follow: () => {
      let before = 0;
      return (doneBytes) => {
        allDone += doneBytes - before;
        before = doneBytes;
        onProgress(allDone, totalBytes);
      };
    },
  };
}
