/**
 * Of the checkpoint of plain-http, whatever the JDK and collector: mem.bin, and it and plan.bin compressed with zstd's level 6.
 * The aim is 20 MB and 4 MB, which JDK 17 reaches where the machine has nothing else to do; newer JDKs do not yet. Several JVMs
 * that are warmed up side by side have about 1 MB more.
 */
export const SIZE_LIMITS = { rawBytes: 25e6, compressedBytes: 5e6 } as const;
