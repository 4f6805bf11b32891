/* vm_structs.c */
#include "made-up.h"

#include <string.h>

struct flag {
  uint64_t unused;
  const char *name;
  void *address;
};

static struct flag *flags;
static size_t flag_count;
static bool serial = true, parallel;
static uint64_t heap_size = 1 << 20;

static void describe_flags(void *list, void *count) {
  forget_tables();
  add_field("Other", "flags", 8, NULL);
  add_field("JVMFlag", "flags", 0, list);
  add_field("JVMFlag", "numFlags", 0, count);
  add_field("JVMFlag", NULL, 0, NULL);
  add_field("JVMFlag", "_name", offsetof(struct flag, name), NULL);
  add_field("JVMFlag", "_addr", offsetof(struct flag, address), NULL);
  add_type("Other", 4);
  add_type("JVMFlag", sizeof(struct flag));
}

void test_tables(void) {
  struct crac_field field = {77, NULL};
  CHECK(!crac_find_field("A", "a", &field) && field.offset == 77);
  CHECK(!crac_vm_flag("UseSerialGC") && crac_vm_number("MaxHeapSize") == 0);

  flags = calloc(flag_count = 4, sizeof *flags);
  flags[0] = (struct flag){0, "UseSerialGC", &serial};
  flags[1] = (struct flag){0, NULL, NULL};
  flags[2] = (struct flag){0, "UseParallelGC", &parallel};
  flags[3] = (struct flag){0, "MaxHeapSize", &heap_size};
  describe_flags(&flags, &flag_count);
  CHECK(crac_find_field("JVMFlag", "_addr", &field) && field.offset == offsetof(struct flag, address) && !field.address);
  CHECK(!crac_find_field("JVMFlag", "_type", &field) && !crac_find_field("", "", &field));
  CHECK(crac_vm_flag("UseSerialGC") && !crac_vm_flag("UseParallelGC") && !crac_vm_flag("UseEpsilonGC"));
  CHECK(crac_vm_number("MaxHeapSize") == heap_size && crac_vm_number("") == 0);
  CHECK(!strcmp(crac_collector(), "Serial"));

  flags[0].address = NULL; /* a flag without a value */
  CHECK(!crac_vm_flag("UseSerialGC") && !strcmp(crac_collector(), "unknown"));
  describe_flags(NULL, &flag_count); /* fields that are not static, as another JVM may have them */
  CHECK(!crac_vm_flag("UseSerialGC"));
  describe_flags(&flags, NULL);
  CHECK(!crac_vm_flag("UseSerialGC"));
  describe_flags(&flags, &flag_count);
  free(flags), flags = NULL; /* no list */
  CHECK(!crac_vm_flag("UseSerialGC"));

  static const char *const symbols[] = {"gHotSpotVMStructs", "gHotSpotVMStructEntryArrayStride", "gHotSpotVMTypes",
                                        "gHotSpotVMTypeEntryArrayStride"};
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    describe_flags(&flags, &flag_count);
    hide_symbol(symbols[i]);
    CHECK(!crac_vm_flag("UseSerialGC"));
  }
}
