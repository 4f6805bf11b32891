/**
 * Of the checkpoint of plain-http, whatever the JDK and collector: mem.bin, and it and plan.bin compressed with zstd's level 6.
 * The aim is 20 MB and 4 MB. JDK 17 reaches it where the machine has nothing else to do; newer JDKs come to 21.5 to 22.3 MB and
 * 4.2 to 4.3 MB. Several JVMs that are warmed up side by side have about 1 MB more.
 */
export const SIZE_LIMITS = { rawBytes: 24.5e6, compressedBytes: 4.7e6 } as const;
