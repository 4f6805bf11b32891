/** Of the checkpoint of plain-http, whatever the JDK and collector: mem.bin, and it and plan.bin compressed with zstd's level 6. */
export const SIZE_LIMITS = { rawBytes: 20e6, compressedBytes: 4e6 } as const;
