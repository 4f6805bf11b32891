/* heap_drop.c, jvm_memory.c: walks over made-up heaps and classes. What is between top and end is dropped, nothing else. */
#include "made-up.h"

#include "../../../native/agent/compaction.c"
#include "../../../native/agent/heap_drop.c"
#include "../../../native/agent/jvm_memory.c"

#define PAGES 8

int64_t crac_nano_time(void) { return 1; }

struct space {
  uint64_t unused, top, end;
};
static size_t page;
static char *memory;

static struct space space_of(size_t top, size_t end) {
  return (struct space){0, (uint64_t)memory + top, (uint64_t)memory + end};
}

/* The pages of memory that are zero now, as bits. */
static unsigned dropped_pages(void) {
  unsigned bits = 0;
  for (unsigned i = 0; i < PAGES; i++) {
    bits |= memory[i * page] == 0 ? 1u << i : 0;
    memset(memory + i * page, 'x', page);
  }
  return bits;
}

static void finish_collection(void) {
  dropped.bytes = 0;
  armed = true;
  on_collection_finish(NULL);
}

static void choose(const char *flag_name) {
  static bool yes = true;
  static struct {
    const char *name;
    void *address;
  } flag, *list = &flag;
  static size_t one = 1;
  flag.name = flag_name, flag.address = &yes;
  forget_tables();
  add_type("JVMFlag", sizeof flag);
  add_field("JVMFlag", "flags", 0, &list);
  add_field("JVMFlag", "numFlags", 0, &one);
  add_field("JVMFlag", "_name", 0, NULL);
  add_field("JVMFlag", "_addr", sizeof(void *), NULL);
}

static void describe_spaces(const char *top_type, const char *end_type) {
  add_field(top_type, "_top", offsetof(struct space, top), NULL);
  add_field(end_type, "_end", offsetof(struct space, end), NULL);
}

static void test_serial(void) {
  struct space eden = space_of(page + 1, 3 * page), from = space_of(5 * page, 4 * page), old = space_of(6 * page, 8 * page);
  struct { void *eden, *from, *to; } young = {&eden, &from, NULL};
  struct { void *space; } tenured = {&old};
  struct { void *young, *old; } generations = {&young, &tenured}, *heap = &generations;
  choose("UseSerialGC");
  finish_collection(); /* no heap is described */
  CHECK(dropped.obstacle != NULL);
  add_field("Universe", "_collectedHeap", 0, &heap);
  finish_collection(); /* and now nothing in it */
  CHECK(dropped_pages() == 0);
  add_field("GenCollectedHeap", "_young_gen", 0, NULL);
  add_field("GenCollectedHeap", "_old_gen", 8, NULL);
  add_field("DefNewGeneration", "_eden_space", 0, NULL);
  add_field("DefNewGeneration", "_from_space", 8, NULL);
  add_field("DefNewGeneration", "_to_space", 16, NULL);
  add_field("TenuredGeneration", "_the_space", 0, NULL);
  describe_spaces("ContiguousSpace", "Space");
  finish_collection();
  CHECK(dropped.obstacle == NULL && dropped.bytes == 3 * page);
  CHECK(dropped_pages() == (1u << 2 | 1u << 6 | 1u << 7)); /* whole pages; a top above its end is left alone */
  eden.top = 0;
  old.end = old.top + page - 1;
  finish_collection();
  CHECK(dropped_pages() == 0);
  heap = NULL;
  finish_collection();
  armed = false;
  heap = &generations, eden = space_of(0, page);
  on_collection_finish(NULL);
  CHECK(dropped_pages() == 0); /* not wanted */
  for (const char *const *flag = (const char *const[]){"UseShenandoahGC", "UseEpsilonGC", "UseZGC", NULL}; *flag; flag++) {
    choose(*flag);
    add_field("Universe", "_collectedHeap", 0, &heap);
    finish_collection();
    CHECK(dropped.obstacle != NULL && dropped_pages() == 0);
  }
}

static void test_g1(void) {
  struct space regions[] = {space_of(0, page), space_of(2 * page, 2 * page), space_of(3 * page + 8, 5 * page)};
  void **table = calloc(4, sizeof *table);
  table[0] = &regions[0], table[2] = &regions[1], table[3] = &regions[2];
  struct { uint64_t unused; void **base; uint64_t length; } heap = {0, table, 4}, *found = &heap;
  choose("UseG1GC");
  add_field("Universe", "_collectedHeap", 0, &found);
  finish_collection();
  add_field("G1CollectedHeap", "_hrm", 8, NULL);
  finish_collection();
  add_field("HeapRegionManager", "_regions", 0, NULL);
  add_field("G1HeapRegionTable", "_base", 0, NULL);
  finish_collection();
  CHECK(dropped_pages() == 0);
  add_field("G1HeapRegionTable", "_length", 8, NULL);
  describe_spaces("HeapRegion", "HeapRegion");
  finish_collection();
  CHECK(dropped_pages() == (1u << 0 | 1u << 4));
  heap.base = NULL, heap.length = 0;
  finish_collection();
  free(table);
}

/* from | gap | eden | to: as after a collection that has made the spaces smaller and swapped two of them */
static void test_parallel(void) {
  struct { uint64_t bottom, top, end; } spaces[] = {
      {(uint64_t)memory + 3 * page, (uint64_t)memory + 4 * page, (uint64_t)memory + 5 * page},
      {(uint64_t)memory, (uint64_t)memory + page, (uint64_t)memory + page},
      {(uint64_t)memory + 5 * page, (uint64_t)memory + 5 * page, (uint64_t)memory + 6 * page},
      {(uint64_t)memory + 6 * page, (uint64_t)memory + 7 * page, (uint64_t)memory + 8 * page},
  };
  struct { void *eden, *from, *to; } generation = {&spaces[0], &spaces[1], &spaces[2]}, *young = &generation;
  struct { void *space; } tenured = {&spaces[3]}, *old = &tenured;
  void *heap = &young;
  choose("UseParallelGC");
  add_field("Universe", "_collectedHeap", 0, &heap);
  add_field("ParallelScavengeHeap", "_young_gen", 0, &young);
  add_field("ParallelScavengeHeap", "_old_gen", 0, &old);
  add_field("PSYoungGen", "_eden_space", 0, NULL);
  add_field("PSYoungGen", "_from_space", 8, NULL);
  add_field("PSYoungGen", "_to_space", 16, NULL);
  add_field("PSOldGen", "_object_space", 0, NULL);
  finish_collection();
  CHECK(dropped_pages() == 0);
  add_field("MutableSpace", "_top", 8, NULL);
  add_field("ImmutableSpace", "_end", 16, NULL);
  finish_collection();
  CHECK(dropped_pages() == (1u << 4 | 1u << 5 | 1u << 7)); /* where spaces begin is not described: no gap is known */
  add_field("ImmutableSpace", "_bottom", 0, NULL);
  finish_collection();
  CHECK(dropped_pages() == (1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 7));
}

static void test_compaction(void) {
  struct { const char *name; void *address; } list[3], *first = list;
  size_t count = 3;
  uint64_t ratio = 5;
  uint32_t interval = 20;
  bool in_steps = true;
  list[0].name = "MarkSweepDeadRatio", list[0].address = &ratio;
  list[1].name = "HeapMaximumCompactionInterval", list[1].address = &interval;
  list[2].name = "ShrinkHeapInSteps", list[2].address = &in_steps;
  forget_tables();
  add_type("JVMFlag", sizeof list[0]);
  add_field("JVMFlag", "flags", 0, &first);
  add_field("JVMFlag", "numFlags", 0, &count);
  add_field("JVMFlag", "_name", 0, NULL);
  add_field("JVMFlag", "_addr", sizeof(void *), NULL);
  crac_compact_all();
  CHECK(ratio == 0 && interval == 1 && !in_steps);
  crac_compact_as_before();
  CHECK(ratio == 5 && interval == 20 && in_steps);
  forget_tables();
  crac_compact_all();
  crac_compact_as_before();
}

static char said[64 << 10];
static jstring say(JNIEnv *env, const char *text) {
  (void)env;
  snprintf(said, sizeof said, "%s", text);
  return NULL;
}
static const char *tell_memory(void) {
  static const struct JNINativeInterface_ functions = {.NewStringUTF = say};
  JNIEnv env = &functions;
  Java_jdk_crac_impl_Checkpoint_jvmMemory(&env, NULL);
  return said;
}

struct class {
  int32_t layout;
  uint64_t constants;
  struct class *next;
};
struct loader {
  struct class *classes;
  struct loader *next;
};

static void test_metadata(void) {
  static _Alignas(16 << 10) struct class classes[2 * MAX_UNITS]; /* within one unit */
  _Static_assert(sizeof classes <= 16 << 10, "");
  uint64_t here = (uint64_t)classes & ~(METASPACE_UNIT - 1);
  classes[0] = (struct class){8, 0x7f0000400010, &classes[1]};
  classes[1] = (struct class){-8, 0x7f0000800000, NULL}; /* an array: has no constants */
  classes[2] = (struct class){8, 0, NULL};
  struct loader last = {&classes[2], NULL}, empty = {NULL, &last}, first = {&classes[0], &empty}, *head = &first;
  void *heap = NULL;
  choose("UseSerialGC");
  add_field("Universe", "_collectedHeap", 0, &heap);
  add_field("ClassLoaderDataGraph", "_head", 0, &head);
  add_field("ClassLoaderData", "_next", offsetof(struct loader, next), NULL);
  add_field("ClassLoaderData", "_klasses", offsetof(struct loader, classes), NULL);
  add_field("Klass", "_next_link", offsetof(struct class, next), NULL);
  add_field("Klass", "_layout_helper", offsetof(struct class, layout), NULL);
  finish_collection();
  CHECK(!strcmp(tell_memory(), "{\"codeCache\":null,\"metaspace\":[]}")); /* where constants are is not described */
  add_field("InstanceKlass", "_constants", offsetof(struct class, constants), NULL);
  uint64_t low = 0x7f1000000000, high = low + 4096;
  add_field("CodeCache", "_low_bound", 0, &low);
  add_field("CodeCache", "_high_bound", 0, &high);
  finish_collection();
  char wanted[256];
  snprintf(wanted, sizeof wanted,
           "{\"codeCache\":{\"address\":\"0x7f1000000000\",\"sizeBytes\":4096},\"metaspace\":["
           "{\"address\":\"0x%llx\",\"sizeBytes\":4194304},{\"address\":\"0x7f0000400000\",\"sizeBytes\":4194304}]}",
           (unsigned long long)here);
  CHECK(!strcmp(tell_memory(), wanted));

  for (uint64_t i = 0; i < 2 * MAX_UNITS; i++) /* more than there is room for */
    classes[i] = (struct class){8, UINT64_MAX - i * METASPACE_UNIT, i + 1 < 2 * MAX_UNITS ? &classes[i + 1] : NULL};
  finish_collection();
  CHECK(unit_count == MAX_UNITS && strlen(tell_memory()) > MAX_UNITS * 40 && !strcmp(said + strlen(said) - 3, "}]}"));
}

void test_heap_walk(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  dropped_pages();
  test_serial();
  test_parallel();
  test_g1();
  test_compaction();
  test_metadata();
  munmap(memory, PAGES * page);
}
