/*
 * Gives the heap's free pages back to the kernel. It happens in JVMTI's GarbageCollectionFinish of a full collection, when
 * all Java threads stand still and thread-local buffers have been retired: nothing between a space's top and its end is
 * in use or expected to hold anything. Pages are dropped, never written: uncommitted G1 regions are PROT_NONE.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNKNOWN_FREE_HEAP "what is free is known for Serial, Parallel and G1 only"

static volatile bool armed; /* the free heap is to be dropped */
static struct crac_drop dropped;

const char *crac_collector(void) {
  static const char *const names[] = {"Serial", "Parallel", "G1", "Z", "Shenandoah", "Epsilon"};
  char flag[32];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    strcpy(flag, "Use");
    strcat(strcat(flag, names[i]), "GC");
    if (crac_vm_flag(flag))
      return names[i];
  }
  return "unknown";
}

/* What is resident of [top, end), in whole pages, is counted and dropped. */
static void drop(uint64_t top, uint64_t end) {
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  unsigned char resident[1024];
  uint64_t from = (top + page - 1) & ~(page - 1), to = end & ~(page - 1);
  if (top == 0 || from >= to)
    return;
  for (uint64_t at = from; at < to; at += sizeof resident * page) {
    uint64_t pages = (to - at) / page < sizeof resident ? (to - at) / page : sizeof resident;
    if (mincore((void *)at, pages * page, resident))
      continue;
    for (uint64_t i = 0; i < pages; i++)
      dropped.bytes += (resident[i] & 1) ? page : 0;
  }
  crac_drop_pages(from, to);
}

static bool pointer_field(const char *type, const char *field, uint64_t object, uint64_t *value) {
  struct crac_field found;
  if (!object || !crac_find_field(type, field, &found))
    return false;
  *value = *(uint64_t *)(object + found.offset);
  return true;
}

static bool pointer_field_of(const char *const *types, const char *field, uint64_t object, uint64_t *value) {
  for (; *types; types++)
    if (pointer_field(*types, field, object, value))
      return true;
  return false;
}

/* Names by version: 17 to 22 | later. A field is described with the class that declares it. */
static const char *const SERIAL_HEAP[] = {"GenCollectedHeap", "SerialHeap", NULL};
static const char *const SPACE_TOP[] = {"ContiguousSpace", "CompactibleSpace", NULL};
static const char *const SPACE_END[] = {"Space", "ContiguousSpace", NULL};
static const char *const MUTABLE_SPACE[] = {"MutableSpace", "ImmutableSpace", NULL};
static const char *const G1_REGION[] = {"HeapRegion", "G1HeapRegion", NULL};
static const char *const G1_REGION_MANAGER[] = {"HeapRegionManager", "G1HeapRegionManager", NULL};

static void drop_space(const char *const *end_types, const char *const *top_types, uint64_t space) {
  uint64_t top, end;
  if (pointer_field_of(top_types, "_top", space, &top) && pointer_field_of(end_types, "_end", space, &end) && top <= end)
    drop(top, end);
}

static void drop_serial(uint64_t heap) {
  uint64_t young, old, space;
  static const char *const fields[] = {"_eden_space", "_from_space", "_to_space"};
  if (pointer_field_of(SERIAL_HEAP, "_young_gen", heap, &young))
    for (int i = 0; i < 3; i++)
      if (pointer_field("DefNewGeneration", fields[i], young, &space))
        drop_space(SPACE_END, SPACE_TOP, space);
  if (pointer_field_of(SERIAL_HEAP, "_old_gen", heap, &old) && pointer_field("TenuredGeneration", "_the_space", old, &space))
    drop_space(SPACE_END, SPACE_TOP, space);
}

/* When the spaces of the young generation become smaller, gaps stay between them, with what was there before. */
static void drop_gaps(const uint64_t *spaces, int count) {
  uint64_t ends[3];
  int end_count = 0;
  for (int i = 0; i < count; i++)
    if (pointer_field_of(MUTABLE_SPACE, "_end", spaces[i], &ends[end_count]))
      end_count++;
  for (int i = 0; i < end_count; i++) {
    uint64_t next = 0, bottom; /* of the space that follows */
    for (int other = 0; other < count; other++)
      if (pointer_field_of(MUTABLE_SPACE, "_bottom", spaces[other], &bottom) && bottom >= ends[i] &&
          (next == 0 || bottom < next))
        next = bottom;
    if (next != 0)
      drop(ends[i], next);
  }
}

/* Gives an obstacle or NULL. */
static const char *drop_parallel(void) {
  static const char *const TOP[] = {"MutableSpace", NULL};
  static const char *const fields[] = {"_eden_space", "_from_space", "_to_space"};
  struct crac_field generation;
  uint64_t space, young[3];
  int young_count = 0;
  if (crac_vm_flag("UseNUMA")) /* eden is then made of several spaces, and its own top says nothing */
    return "what is free is not known with -XX:+UseNUMA";
  if (crac_find_field("ParallelScavengeHeap", "_young_gen", &generation) && generation.address)
    for (int i = 0; i < 3; i++)
      if (pointer_field("PSYoungGen", fields[i], *(uint64_t *)generation.address, &space)) {
        drop_space(MUTABLE_SPACE, TOP, space);
        young[young_count++] = space;
      }
  drop_gaps(young, young_count);
  if (crac_find_field("ParallelScavengeHeap", "_old_gen", &generation) && generation.address &&
      pointer_field("PSOldGen", "_object_space", *(uint64_t *)generation.address, &space))
    drop_space(MUTABLE_SPACE, TOP, space);
  return NULL;
}

/* heap._hrm._regions is a table of pointers to regions; each has bottom, top and end, free ones top == bottom. */
static void drop_g1(uint64_t heap) {
  struct crac_field manager, regions;
  uint64_t base, length, region;
  if (!crac_find_field("G1CollectedHeap", "_hrm", &manager))
    return;
  bool found = false;
  for (const char *const *type = G1_REGION_MANAGER; *type && !found; type++)
    found = crac_find_field(*type, "_regions", &regions);
  uint64_t table = heap + manager.offset + regions.offset;
  if (!found || !pointer_field("G1HeapRegionTable", "_base", table, &base) ||
      !pointer_field("G1HeapRegionTable", "_length", table, &length))
    return;
  for (uint64_t i = 0; i < length; i++)
    if ((region = ((uint64_t *)base)[i]) != 0)
      drop_space(G1_REGION, G1_REGION, region);
}

static const char *drop_free_heap(void) {
  struct crac_field heap;
  if (!crac_find_field("Universe", "_collectedHeap", &heap) || !heap.address)
    return UNKNOWN_FREE_HEAP;
  const char *collector = crac_collector();
  uint64_t address = *(uint64_t *)heap.address;
  crac_find_mapped_pages();
  if (!strcmp(collector, "Parallel"))
    return drop_parallel();
  if (!strcmp(collector, "Serial"))
    drop_serial(address);
  else if (!strcmp(collector, "G1"))
    drop_g1(address);
  else
    return UNKNOWN_FREE_HEAP;
  return NULL;
}

static bool stops_for_collections(void) {
  const char *collector = crac_collector();
  return !strcmp(collector, "Serial") || !strcmp(collector, "Parallel") || !strcmp(collector, "G1");
}

static void JNICALL on_collection_finish(jvmtiEnv *jvmti) {
  (void)jvmti;
  if (armed) { /* also when it is one of the app's own collections: another one follows */
    int64_t before = crac_nano_time();
    dropped.obstacle = drop_free_heap();
    dropped.nanoseconds += (uint64_t)(crac_nano_time() - before);
  }
  if (stops_for_collections())
    crac_find_metadata();
}

/* One full collection, at whose end the free heap is dropped if that is wanted. */
struct crac_drop crac_collect(bool drop_free_heap) {
  dropped = (struct crac_drop){0, 0, drop_free_heap ? UNKNOWN_FREE_HEAP : NULL};
  jvmtiCapabilities capabilities;
  memset(&capabilities, 0, sizeof capabilities);
  capabilities.can_generate_garbage_collection_events = 1;
  jvmtiEventCallbacks callbacks;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.GarbageCollectionFinish = on_collection_finish;
  bool listening =
      !(*crac_jvmti)->AddCapabilities(crac_jvmti, &capabilities) &&
      !(*crac_jvmti)->SetEventCallbacks(crac_jvmti, &callbacks, sizeof callbacks) &&
      !(*crac_jvmti)->SetEventNotificationMode(crac_jvmti, JVMTI_ENABLE, JVMTI_EVENT_GARBAGE_COLLECTION_FINISH, NULL);
  armed = drop_free_heap;
  crac_compact_all();
  (*crac_jvmti)->ForceGarbageCollection(crac_jvmti);
  crac_compact_as_before();
  armed = false;
  if (listening)
    (*crac_jvmti)->SetEventNotificationMode(crac_jvmti, JVMTI_DISABLE, JVMTI_EVENT_GARBAGE_COLLECTION_FINISH, NULL);
  return dropped;
}
