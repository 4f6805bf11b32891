#ifndef RESTORE_CRC_H
#define RESTORE_CRC_H
#include <stddef.h>
#include <stdint.h>

/* CRC-32 (IEEE 802.3, as zlib). */
uint32_t compute_crc32(const void *bytes, size_t size);
#endif
