/*
 * What HotSpot does in an ordinary full collection to be quick is not wanted in those of a checkpoint. It leaves some garbage
 * where moving what lives is not worth it (5 % of each G1 region, and of Serial's and Parallel's whole heap, however large
 * that has grown), and Serial gives memory back only in the course of several collections. Flags decide both; each
 * collection reads them anew.
 */
#include "agent.h"

#include <string.h>

/* Numbers are written as 32 bits: some are wider in some versions, none is larger. */
static struct {
  const char *name;
  bool is_boolean;
  uint32_t wanted, former;
} flags[] = {
    {"MarkSweepDeadRatio", false, 0, 0},            /* per cent of garbage that may stay: Serial, G1 */
    {"MarkSweepAlwaysCompactCount", false, 1, 0},   /* each how many collections none may: Serial */
    {"HeapMaximumCompactionInterval", false, 1, 0}, /* the same: Parallel; 0 might be divided by */
    {"ShrinkHeapInSteps", true, 0, 0},
};

static bool changed;

static void copy_flag(size_t i, uint32_t value, uint32_t *former) {
  void *at = crac_find_vm_flag(flags[i].name);
  size_t size = flags[i].is_boolean ? sizeof(bool) : sizeof value;
  if (!at)
    return;
  if (former)
    memcpy(former, at, size);
  memcpy(at, &value, size);
}

void crac_compact_all(void) {
  changed = true;
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    copy_flag(i, flags[i].wanted, &flags[i].former);
}

void crac_compact_as_before(void) {
  if (!changed)
    return;
  changed = false;
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    copy_flag(i, flags[i].former, NULL);
}
