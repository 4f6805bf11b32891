/* Where HotSpot keeps code and class metadata, so that the size of a checkpoint can be told by cause. */
#define _GNU_SOURCE
#include "agent.h"

#include <stdio.h>

/* Metaspace is reserved in multiples of this, at multiples of it. */
#define METASPACE_UNIT ((uint64_t)4 << 20)
#define MAX_UNITS 256

static uint64_t units[MAX_UNITS];
static size_t unit_count;

static void note_metadata(uint64_t address) {
  uint64_t unit = address & ~(METASPACE_UNIT - 1);
  if (!unit)
    return;
  for (size_t i = unit_count; i-- > 0;)
    if (units[i] == unit)
      return;
  if (unit_count < MAX_UNITS)
    units[unit_count++] = unit;
}

/* At a safepoint, after a collection: nothing is loaded or unloaded meanwhile. */
void crac_find_metadata(void) {
  struct crac_field head, next_loader, klasses, next_class, constants, layout;
  unit_count = 0;
  if (!crac_find_field("ClassLoaderDataGraph", "_head", &head) || !head.address ||
      !crac_find_field("ClassLoaderData", "_next", &next_loader) ||
      !crac_find_field("ClassLoaderData", "_klasses", &klasses) || !crac_find_field("Klass", "_next_link", &next_class) ||
      !crac_find_field("Klass", "_layout_helper", &layout) || !crac_find_field("InstanceKlass", "_constants", &constants))
    return;
  for (char *loader = *(char **)head.address; loader; loader = *(char **)(loader + next_loader.offset))
    for (char *class = *(char **)(loader + klasses.offset); class; class = *(char **)(class + next_class.offset)) {
      note_metadata((uint64_t)class);
      if (*(int32_t *)(class + layout.offset) > 0) /* no array */
        note_metadata(*(uint64_t *)(class + constants.offset));
    }
}

static int print_range(char *json, size_t size, uint64_t start, uint64_t bytes) {
  return snprintf(json, size, "{\"address\":\"0x%llx\",\"sizeBytes\":%llu}", (unsigned long long)start,
                  (unsigned long long)bytes);
}

static int print_code_cache(char *json, size_t size) {
  struct crac_field low, high;
  if (!crac_find_field("CodeCache", "_low_bound", &low) || !crac_find_field("CodeCache", "_high_bound", &high) ||
      !low.address || !high.address || *(uint64_t *)high.address <= *(uint64_t *)low.address)
    return snprintf(json, size, "null");
  uint64_t start = *(uint64_t *)low.address;
  return print_range(json, size, start, *(uint64_t *)high.address - start);
}

/* JSON. What this JVM does not describe in the way that is known is null or empty. */
JNIEXPORT jstring JNICALL Java_jdk_crac_impl_Checkpoint_jvmMemory(JNIEnv *env, jclass self) {
  (void)self;
  char json[128 + MAX_UNITS * 64];
  size_t length = (size_t)snprintf(json, sizeof json, "{\"codeCache\":");
  length += (size_t)print_code_cache(json + length, sizeof json - length);
  length += (size_t)snprintf(json + length, sizeof json - length, ",\"metaspace\":[");
  for (size_t i = 0; i < unit_count; i++) {
    if (i > 0)
      json[length++] = ',';
    length += (size_t)print_range(json + length, sizeof json - length, units[i], METASPACE_UNIT);
  }
  snprintf(json + length, sizeof json - length, "]}");
  return (*env)->NewStringUTF(env, json);
}
