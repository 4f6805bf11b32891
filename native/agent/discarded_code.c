/*
 * Compiled code that HotSpot has thrown away: what was compiled for good (level 4, or 1 where there is no better) and may
 * not be entered any more, because an assumption did not hold. Lower levels are left for higher ones all the time.
 *
 * The code cache is read while the JVM goes on, without its lock. Its memory stays mapped, no pointer in it is followed, and
 * what is half written is not counted: a wrong number at times is better than an app that waits.
 */
#include "agent.h"

#define MAX_HEAPS 8
#define SIMPLE 1
#define FULL_OPTIMIZATION 4

static struct crac_field heaps, array_length, array_data, memory, low, high, segment_shift, block_length, block_used, blob_size,
    header_size, state, level;
static uint64_t block_bytes, method_bytes;
/* only the control thread asks */
static bool looked, known;

static bool find_fields(void) {
  block_bytes = crac_type_size("HeapBlock");
  method_bytes = crac_type_size("nmethod");
  return block_bytes && method_bytes && crac_find_field("CodeCache", "_heaps", &heaps) && heaps.address &&
         crac_find_field("GrowableArrayBase", "_len", &array_length) &&
         crac_find_field("GrowableArray<int>", "_data", &array_data) && crac_find_field("CodeHeap", "_memory", &memory) &&
         crac_find_field("VirtualSpace", "_low", &low) && crac_find_field("VirtualSpace", "_high", &high) &&
         crac_find_field("CodeHeap", "_log2_segment_size", &segment_shift) &&
         crac_find_field("HeapBlock::Header", "_length", &block_length) &&
         crac_find_field("HeapBlock::Header", "_used", &block_used) && crac_find_field("CodeBlob", "_size", &blob_size) &&
         crac_find_field("CodeBlob", "_header_size", &header_size) && crac_find_field("nmethod", "_state", &state) &&
         crac_find_field("nmethod", "_comp_level", &level);
}

/* In segments; 8 bytes wide, from JDK 24 on 4: what follows it tells. */
static uint64_t length_of(const char *block) {
  const char *length = block + block_length.offset;
  return block_used.offset - block_length.offset == 4 ? *(const volatile uint32_t *)length : *(const volatile uint64_t *)length;
}

/* Header size and level are 4, 2 or 1 bytes wide, by version; their low bytes are enough. */
static bool is_discarded(const char *blob, uint64_t room) {
  uint16_t header = *(const volatile uint16_t *)(blob + header_size.offset);
  int32_t size = *(const volatile int32_t *)(blob + blob_size.offset);
  uint8_t compiled_at = *(const volatile uint8_t *)(blob + level.offset);
  int8_t now = *(const volatile int8_t *)(blob + state.offset); /* -1: being installed, 0: in use */
  return header == method_bytes && size > header && (uint64_t)size <= room &&
         (compiled_at == FULL_OPTIMIZATION || compiled_at == SIMPLE) && now > 0;
}

static int64_t count_in_heap(const char *heap) {
  const char *from = *(char *const volatile *)(heap + memory.offset + low.offset);
  const char *end = *(char *const volatile *)(heap + memory.offset + high.offset);
  int shift = *(const int *)(heap + segment_shift.offset);
  int64_t count = 0;
  /* the part that was never used is zero */
  for (uint64_t length; from + block_bytes + method_bytes <= end && (length = length_of(from)) != 0; from += length << shift) {
    if (length > (uint64_t)(end - from) >> shift)
      break;
    if (*(const volatile uint8_t *)(from + block_used.offset) == 1 && (length << shift) >= block_bytes + method_bytes)
      count += is_discarded(from + block_bytes, (length << shift) - block_bytes);
  }
  return count;
}

/* What is in the cache now: it falls when code is unloaded. -1: this JVM does not describe it. */
int64_t crac_count_discarded_code(void) {
  if (!looked)
    known = find_fields();
  looked = true;
  const char *array = known ? *(char **)heaps.address : NULL;
  if (!array)
    return -1;
  int32_t length = *(const int32_t *)(array + array_length.offset);
  char *const *data = *(char *const *const *)(array + array_data.offset);
  int64_t count = 0;
  for (int32_t i = 0; i < length && i < MAX_HEAPS; i++)
    count += count_in_heap(data[i]);
  return count;
}
