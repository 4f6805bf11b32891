#include "crc.h"

/* Eight bytes a step ("slicing by 8"): the plan is some hundred KiB and read at every start. */
static uint32_t table[8][256];

static void make_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    table[0][i] = value;
  }
  for (uint32_t i = 0; i < 256; i++)
    for (int step = 1; step < 8; step++) table[step][i] = table[step - 1][i] >> 8 ^ table[0][table[step - 1][i] & 255];
}

uint32_t compute_crc32(const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  uint32_t crc = ~0u;
  make_table();
  for (; size >= 8; at += 8, size -= 8) {
    uint64_t word = *(const uint64_t *)at ^ crc;
    crc = 0;
    for (int i = 0; i < 8; i++) crc ^= table[7 - i][word >> (8 * i) & 255];
  }
  for (; size != 0; at++, size--) crc = crc >> 8 ^ table[0][(crc ^ *at) & 255];
  return ~crc;
}
