#include "made-up.h"

#include <string.h>

#define MOST 64

/* Another order than HotSpot's: the offsets are told, and must be used. */
struct field_entry {
  void *address;
  const char *field;
  uint64_t offset;
  const char *type;
};
struct type_entry {
  uint64_t size;
  const char *name;
};

static struct field_entry *fields;
static struct type_entry *types;
static size_t field_count, type_count;
static const char *hidden[MOST];
static uint64_t numbers[] = {sizeof(struct field_entry), offsetof(struct field_entry, type), offsetof(struct field_entry, field),
                             offsetof(struct field_entry, offset), offsetof(struct field_entry, address),
                             sizeof(struct type_entry), offsetof(struct type_entry, name), offsetof(struct type_entry, size)};
static const char *const number_names[] = {
    "gHotSpotVMStructEntryArrayStride", "gHotSpotVMStructEntryTypeNameOffset", "gHotSpotVMStructEntryFieldNameOffset",
    "gHotSpotVMStructEntryOffsetOffset", "gHotSpotVMStructEntryAddressOffset", "gHotSpotVMTypeEntryArrayStride",
    "gHotSpotVMTypeEntryTypeNameOffset", "gHotSpotVMTypeEntrySizeOffset"};

JavaVM *crac_vm;
jvmtiEnv *crac_jvmti;
const char *crac_obstacle;

void crac_warn(const char *format, ...) { (void)format; }
jclass crac_find_boot_class(JNIEnv *env, const char *name) { return (void)env, (jclass)name; }

void *crac_jvm_symbol(const char *name) {
  for (size_t i = 0; i < MOST && hidden[i]; i++)
    if (!strcmp(hidden[i], name)) return NULL;
  if (!strcmp(name, "gHotSpotVMStructs")) return &fields;
  if (!strcmp(name, "gHotSpotVMTypes")) return &types;
  for (size_t i = 0; i < sizeof number_names / sizeof *number_names; i++)
    if (!strcmp(number_names[i], name)) return &numbers[i];
  return NULL;
}

/* The last entry is all zero. */
static void end_tables(void) {
  fields = realloc(fields, (field_count + 1) * sizeof *fields);
  types = realloc(types, (type_count + 1) * sizeof *types);
  memset(&fields[field_count], 0, sizeof *fields);
  memset(&types[type_count], 0, sizeof *types);
}

void forget_tables(void) {
  field_count = type_count = 0;
  memset(hidden, 0, sizeof hidden);
  end_tables();
}

void add_field(const char *type, const char *field, uint64_t offset, void *address) {
  fields[field_count++] = (struct field_entry){address, field, offset, type};
  end_tables();
}

void add_type(const char *name, uint64_t size) {
  types[type_count++] = (struct type_entry){size, name};
  end_tables();
}

void hide_symbol(const char *name) {
  size_t i = 0;
  while (hidden[i]) i++;
  CHECK(i + 1 < MOST);
  hidden[i] = name;
}

uint32_t next_random(void) {
  static uint32_t state = 20261126;
  state = state * 1664525 + 1013904223;
  return state >> 8;
}

int main(void) {
  forget_tables();
  test_tables();
  test_heap_walk();
  test_heap_pages();
  test_channel();
  test_user_name();
  test_counters();
  test_heap_search();
  test_environment();
  test_jit_facts();
  forget_tables();
  free(fields), free(types);
  puts("all done");
  return 0;
}
