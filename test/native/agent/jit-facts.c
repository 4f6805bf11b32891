/* perf_counters.c, discarded_code.c, jit_facts.c: what the JIT did, out of counters and a code cache that are made up. */
#include "made-up.h"

#include "../../../native/agent/discarded_code.c"
#include "../../../native/agent/jit_facts.c"
#include "../../../native/agent/jit_idle.c"
#include "../../../native/agent/perf_counters.c"

#include <sys/mman.h>
#include <sys/socket.h>

static char *page_of_counters;
static size_t page_bytes;

static size_t add_counter(size_t at, const char *name, uint8_t type, int64_t value) {
  int32_t data = (int32_t)(sizeof(struct entry) + strlen(name) + 1 + 7) & ~7;
  struct entry entry = {data + 8, sizeof(struct entry), 0, type, 0, 0, 0, data};
  memcpy(page_of_counters + at, &entry, sizeof entry);
  strcpy(page_of_counters + at + sizeof entry, name);
  memcpy(page_of_counters + at + data, &value, sizeof value);
  return at + (size_t)entry.length;
}

static void fill_counters(void) {
  struct prologue prologue = {__builtin_bswap32(MAGIC), 1, 2, 0, 1, 0, 0, 0, sizeof prologue, 6};
  memset(page_of_counters, 0, page_bytes);
  memcpy(page_of_counters, &prologue, sizeof prologue);
  size_t at = add_counter(sizeof prologue, "sun.ci.totalCompiles", 'J', 40);
  at = add_counter(at, "sun.gc.collector.0.invocations", 'J', 3);
  at = add_counter(at, "sun.gc.collector.0.time", 'J', 5000);
  at = add_counter(at, "sun.gc.collector.1.invocations", 'J', 4);
  at = add_counter(at, "sun.gc.collector.1.name", 'B', 0);
  add_counter(at, "java.cls.loadedClasses", 'J', 900);
}

static void test_sums(void) {
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  /* what lies behind the counters must not be looked at */
  char *area = mmap(NULL, 2 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(area != MAP_FAILED && mprotect(area, page_bytes, PROT_READ | PROT_WRITE) == 0);
  page_of_counters = area;
  forget_tables();
  CHECK(crac_sum_counters("sun.ci.totalCompiles", "") == -1);
  add_field("PerfMemory", "_start", 0, &page_of_counters);
  add_field("PerfMemory", "_capacity", 0, &page_bytes);
  CHECK(crac_sum_counters("sun.ci.totalCompiles", "") == -1); /* nothing in it */
  fill_counters();
  CHECK(crac_sum_counters("sun.ci.totalCompiles", "") == 40);
  CHECK(crac_sum_counters("sun.gc.collector.", ".invocations") == 7 && crac_sum_counters("sun.gc.collector.", ".time") == 5000);
  CHECK(crac_sum_counters("sun.gc.collector.", ".name") == -1 && crac_sum_counters("sun.ci.none", "") == -1);
  page_of_counters[5] = 3; /* a version to come */
  CHECK(crac_sum_counters("sun.ci.totalCompiles", "") == -1);
  for (int run = 0; run < 5000; run++) {
    fill_counters();
    for (int change = 0; change < 6; change++) {
      size_t at = next_random() % 400;
      page_of_counters[at] = run % 2 ? (char)next_random() : (char)(page_of_counters[at] ^ 1 << next_random() % 8);
    }
    crac_sum_counters("sun.gc.collector.", ".invocations");
  }
  fill_counters();
}

/* As wide as the fields are before JDK 24, and since. */
struct wide_block {
  uint64_t length;
  bool used;
};
struct narrow_block {
  uint32_t length;
  bool used;
};
struct method {
  int32_t size;
  uint16_t header_size;
  int8_t state;
  uint8_t level;
  char code[56];
};
struct code_heap {
  char *low, *high;
  int shift;
};

#define SHIFT 3
#define SEGMENTS 12

static void add_block(char *at, bool wide, uint32_t segments, bool used, struct method method) {
  struct wide_block block = {segments, used};
  struct narrow_block narrow = {segments, used};
  if (wide)
    memcpy(at, &block, sizeof block);
  else
    memcpy(at, &narrow, sizeof narrow);
  memcpy(at + (wide ? sizeof block : sizeof narrow), &method, sizeof method);
}

static struct method method_of(int level, int state) { return (struct method){sizeof(struct method), 60, (int8_t)state, (uint8_t)level, ""}; }

static void describe_code(bool wide, void *array) {
  forget_tables();
  looked = false;
  add_type("HeapBlock", wide ? sizeof(struct wide_block) : sizeof(struct narrow_block));
  add_type("nmethod", 60);
  add_field("CodeCache", "_heaps", 0, array);
  add_field("GrowableArrayBase", "_len", 0, NULL);
  add_field("GrowableArray<int>", "_data", 8, NULL);
  add_field("CodeHeap", "_memory", 0, NULL);
  add_field("VirtualSpace", "_low", offsetof(struct code_heap, low), NULL);
  add_field("VirtualSpace", "_high", offsetof(struct code_heap, high), NULL);
  add_field("CodeHeap", "_log2_segment_size", offsetof(struct code_heap, shift), NULL);
  add_field("HeapBlock::Header", "_length", 0, NULL);
  add_field("HeapBlock::Header", "_used", wide ? 8 : 4, NULL);
  add_field("CodeBlob", "_size", offsetof(struct method, size), NULL);
  add_field("CodeBlob", "_header_size", offsetof(struct method, header_size), NULL);
  add_field("nmethod", "_state", offsetof(struct method, state), NULL);
  add_field("nmethod", "_comp_level", offsetof(struct method, level), NULL);
}

static void test_code(bool wide) {
  const size_t bytes = SEGMENTS << SHIFT, blocks = 8;
  char *memory = calloc(blocks, bytes);
  struct code_heap heap = {memory, memory + blocks * bytes, SHIFT}, empty = {memory, memory, SHIFT}, *heaps[] = {&heap, &empty};
  struct {
    int length;
    void *data;
  } array = {2, heaps}, *found = &array;
  looked = false;
  forget_tables();
  CHECK(crac_count_discarded_code() == -1);
  describe_code(wide, &found);
  CHECK(crac_count_discarded_code() == 0);
  struct method stub = method_of(4, 2);
  stub.header_size = 8;
  add_block(memory, wide, SEGMENTS, true, method_of(4, 2));
  add_block(memory + bytes, wide, SEGMENTS, true, method_of(4, 0));
  add_block(memory + 2 * bytes, wide, SEGMENTS, true, method_of(3, 2));
  add_block(memory + 3 * bytes, wide, SEGMENTS, false, method_of(4, 2)); /* free */
  add_block(memory + 4 * bytes, wide, SEGMENTS, true, stub);
  add_block(memory + 5 * bytes, wide, SEGMENTS, true, method_of(1, 1));
  add_block(memory + 6 * bytes, wide, SEGMENTS, true, method_of(4, -1)); /* being installed */
  CHECK(crac_count_discarded_code() == 2);
  add_block(memory + 7 * bytes, wide, SEGMENTS + 1, true, method_of(4, 2)); /* longer than there is memory */
  CHECK(crac_count_discarded_code() == 2);
  for (int run = 0; run < 5000; run++) {
    for (int change = 0; change < 4; change++) memory[next_random() % (blocks * bytes)] ^= (char)(1 << next_random() % 8);
    CHECK(crac_count_discarded_code() >= 0);
  }
  array.data = NULL, array.length = 0;
  CHECK(crac_count_discarded_code() == 0);
  found = NULL;
  CHECK(crac_count_discarded_code() == -1);
  free(memory);
}

static void test_line(void) {
  int ends[2];
  char line[400];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  forget_tables();
  looked = false;
  CHECK(crac_send_jit_facts(ends[1]));
  ssize_t length = recv(ends[0], line, sizeof line - 1, 0);
  CHECK(length > 0);
  line[length] = 0;
  CHECK(strstr(line, "\"compilations\":null,\"discardedCode\":null,\"loadedClasses\":null,\"collections\":null,\"collectionNs\":null}\n"));
  close(ends[0]);
}

void test_jit_facts(void) {
  test_sums();
  test_code(true);
  test_code(false);
  test_line();
}
