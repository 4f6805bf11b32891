/*
 * For clang's libFuzzer: FUZZ_TARGET and FUZZ_PLAN as for replay. A plan is changed field by field, a part of the time: the
 * libFuzzer's own mutations know nothing of records.
 */
#include <stdlib.h>
#include <string.h>

#include "../../../native/restore/plan.h"
#include "targets.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t limit);

static target run;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  run = find_target(getenv("FUZZ_TARGET"));
  use_plan(getenv("FUZZ_PLAN"));
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  run(bytes, size);
  return 0;
}

static uint32_t seed;
static uint32_t below(uint32_t limit) {
  seed = seed * 1664525 + 1013904223;
  return limit == 0 ? 0 : (seed >> 8) % limit;
}

static uint64_t interesting(const struct crac_header *header, size_t size, uint64_t now) {
  const struct crac_section *mem = &header->sections[CRAC_MEM];
  uint64_t places[] = {0, 1, ~0ull, 1ull << 31, 1ull << 32, 1ull << 47, 1ull << 63, 0xffffffff, size, size - 1,
                       header->mem_size, header->sections[CRAC_BLOB].count, header->sections[below(CRAC_SECTIONS)].count,
                       header->map_address, CRAC_RESTORER_BASE, CRAC_RESTORER_END, now + 1, now - 1, now + 4096, now - 4096,
                       now ^ 1ull << below(64), now * 2, (uint64_t)below(~0u) << 12, below(256)};
  if (below(3) == 0 && mem->count != 0 && mem->offset + sizeof(struct crac_mem) * mem->count <= size) {
    const struct crac_mem *area = (const struct crac_mem *)((const char *)header + mem->offset) + below(mem->count);
    return below(2) ? area->address + below(64) * 8 : area->address + area->length - below(64);
  }
  return places[below(sizeof places / sizeof *places)];
}

/* One word of one record, or of the header. */
static void change_field(uint8_t *bytes, size_t size) {
  const struct crac_header *header = (const struct crac_header *)bytes;
  const struct crac_section *section = &header->sections[below(CRAC_SECTIONS - 1)];
  size_t at = below(sizeof *header / 4) * 4, width = below(2) ? 8 : 4;
  if (below(5) != 0 && section->count != 0 && section->record_size >= 4)
    at = section->offset + (size_t)section->record_size * below(section->count) + below(section->record_size / 4) * 4;
  if (at + width > size) return;
  uint64_t now = 0;
  memcpy(&now, bytes + at, width);
  now = interesting(header, size, now);
  memcpy(bytes + at, &now, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t limit, unsigned new_seed) {
  seed = new_seed;
  if (strcmp(getenv("FUZZ_TARGET"), "plan") != 0 || size < sizeof(struct crac_header) || below(4) == 0)
    return LLVMFuzzerMutate(bytes, size, limit);
  for (uint32_t changes = 1 + below(4); changes > 0; changes--) change_field(bytes, size);
  return size;
}
