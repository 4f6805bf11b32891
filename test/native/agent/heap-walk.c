/* heap_drop.c: the walk over made-up heaps. What is between top and end is dropped, nothing else. */
#include "made-up.h"

#include "../../../native/agent/heap_drop.c"

#define PAGES 8

void crac_find_generators(JNIEnv *env) { (void)env; }
void crac_pass_code_barriers(void) {}

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
  CHECK(dropped_pages() == (1u << 2 | 1u << 6 | 1u << 7)); /* whole pages; a top above its end is left alone */
  eden.top = 0;
  old.end = old.top + page - 1;
  finish_collection();
  CHECK(dropped_pages() == 0);
  heap = NULL;
  finish_collection();
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

void test_heap_walk(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  dropped_pages();
  test_serial();
  test_g1();
  munmap(memory, PAGES * page);
}
