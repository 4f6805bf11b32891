#include "checks.h"
#include "cold.h"
#include "plan_file.h"
#include "text.h"

#define XCR0_LEAF 0xffffff00u /* not a cpuid leaf: xgetbv(0), what the kernel saves and restores */

struct leaf {
  uint32_t leaf, subleaf, registers[4];
};

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
  __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}

static void read_leaf(struct leaf *at) {
  uint32_t highest[4];
  memset(at->registers, 0, sizeof at->registers);
  if (at->leaf == XCR0_LEAF) {
    cpuid(1, 0, highest);
    if ((highest[2] & 1u << 27) == 0) return; /* OSXSAVE: without it xgetbv is an illegal instruction */
    __asm__ volatile("xgetbv" : "=a"(at->registers[0]), "=d"(at->registers[3]) : "c"(0));
    return;
  }
  cpuid(at->leaf & 0x80000000u, 0, highest);
  if (at->leaf <= highest[0]) cpuid(at->leaf, at->subleaf, at->registers);
}

/* cpuid leaves the virtual machine each time, so each leaf is read once. */
static const struct leaf *find_leaf(uint32_t leaf, uint32_t subleaf) {
  static struct leaf known[32];
  static unsigned count;
  for (unsigned i = 0; i < count; i++)
    if (known[i].leaf == leaf && known[i].subleaf == subleaf) return &known[i];
  struct leaf *next = &known[count < 31 ? count++ : 31];
  next->leaf = leaf;
  next->subleaf = subleaf;
  read_leaf(next);
  return next;
}

void check_cpu(void) {
  static char missing[512];
  const struct crac_cpu *needs = plan_records(CRAC_CPU);
  for (uint32_t i = 0; i < plan_count(CRAC_CPU); i++) {
    uint32_t value = find_leaf(needs[i].leaf, needs[i].subleaf)->registers[needs[i].reg & 3];
    if ((value & needs[i].mask) == needs[i].value) continue;
    size_t length = strlen(missing);
    format(missing + length, sizeof missing - length, "%s%s", length == 0 ? "" : ", ", plan_blob(needs[i].name_blob));
  }
  if (missing[0] != 0) give_up("this CPU lacks %s", missing);
}
