/* heap_pages.c: which memory is mapped from files, out of /proc/self/maps. */
#include "made-up.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *maps; /* NULL: the real ones */
static int open_maps(const char *path, int flags) { return open(maps ? maps : path, flags); }
#define open open_maps
#include "../../../native/agent/heap_pages.c"
#undef open

static char file[] = "/tmp/crac-maps-XXXXXX";

static void find(const char *content, size_t size) {
  int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
  CHECK(fd >= 0 && write(fd, content, size) == (ssize_t)size);
  close(fd);
  maps = file;
  crac_find_mapped_pages();
  maps = NULL;
}

static void test_lines(void) {
  static const char some[] = "1000-2000 rw-p 00000000 08:01 77 /mem.bin\n"
                             "2000-3000 rw-p 00000000 00:00 0 \n"
                             "3000-4000 r--p 00000000 08:01 77 /mem.bin\n"
                             "4000-5000 rw-s 00000000 08:01 77 /mem.bin\n"
                             "7f0000000000-7f0000001000 rw-p 00001000 08:01 78 /a path\n";
  find(some, sizeof some - 1);
  CHECK(mapped_count == 2 && mapped[0].start == 0x1000 && mapped[0].end == 0x2000 && mapped[1].start == 0x7f0000000000);
  find(some, 20); /* cut off */
  CHECK(mapped_count == 0);
  find("", 0);
  CHECK(mapped_count == 0);
  char *many = malloc(400 * 64), *at = many;
  for (int i = 0; i < 400; i++) at += sprintf(at, "%x000-%x000 rw-p 00000000 08:01 77 /mem.bin\n", i + 16, i + 17);
  find(many, (size_t)(at - many));
  CHECK(mapped_count == 400 && mapped[399].end == 416u << 12);
  for (int run = 0; run < 300; run++) {
    size_t size = next_random() % 4000;
    for (size_t i = 0; i < size; i++) many[i] = "0123456789abcdef-rwp :\n\0"[next_random() % 24];
    find(many, size);
  }
  free(many);
}

/* What a restored JVM has: a page of the checkpoint in the middle of memory of its own. It must come back as zeroes. */
static void test_drop(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *content = malloc(page);
  CHECK(memory != MAP_FAILED);
  memset(content, 'c', page);
  find(content, page);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  CHECK(mmap(memory + page, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == memory + page);
  close(fd);
  memory[0] = memory[2 * page] = 'x';
  crac_find_mapped_pages();
  crac_drop_pages((uint64_t)memory, (uint64_t)memory + 2 * page);
  CHECK(memory[0] == 0 && memory[page] == 0 && memory[2 * page] == 'x');
  munmap(memory, 3 * page);
  free(content);
}

/* What lies before and behind in the same mapping is in use. */
static void test_drop_within(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *content = malloc(3 * page);
  memset(content, 'c', 3 * page);
  find(content, 3 * page);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK(memory != MAP_FAILED);
  close(fd);
  crac_find_mapped_pages();
  crac_drop_pages((uint64_t)memory + page, (uint64_t)memory + 2 * page);
  CHECK(memory[page - 1] == 'c' && memory[page] == 0 && memory[2 * page - 1] == 0 && memory[2 * page] == 'c');
  munmap(memory, 3 * page);
  free(content);
}

void test_heap_pages(void) {
  int fd = mkstemp(file);
  CHECK(fd >= 0);
  close(fd);
  test_lines();
  test_drop();
  test_drop_within();
  find("", 0);
  unlink(file);
  free(mapped), mapped = NULL, mapped_count = mapped_size = 0;
}
