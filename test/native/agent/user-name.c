/* perf_data.c: the user's name out of /etc/passwd, which is read without the system's own look-up; counters moved. */
#include "made-up.h"

#include <fcntl.h>
#include <unistd.h>

static const char *passwd;
static int open_passwd(const char *path, int flags, ...) {
  (void)path, (void)flags;
  return passwd ? open(passwd, O_RDONLY | O_CLOEXEC) : -1;
}
#define open open_passwd
#include "../../../native/agent/perf_data.c"
#undef open

static char file[] = "/tmp/crac-passwd-XXXXXX";

static bool find(const char *content, size_t size, char *name, size_t limit) {
  int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
  CHECK(fd >= 0 && write(fd, content, size) == (ssize_t)size);
  close(fd);
  return find_user_name(name, limit);
}

static bool is_found(const char *form, const char *expected) {
  char content[512], *name = malloc(8);
  int size = snprintf(content, sizeof content, form, (unsigned)geteuid());
  bool found = find(content, (size_t)size, name, 8);
  bool right = found ? expected && !strcmp(name, expected) : !expected;
  free(name);
  return right;
}

void test_user_name(void) {
  char name[16];
  CHECK(!find_user_name(name, sizeof name)); /* no such file */
  int fd = mkstemp(file);
  CHECK(fd >= 0);
  close(fd);
  passwd = file;
  CHECK(is_found("app:x:%u:0::/:\n", "app") && is_found("app:x:%u:", "app") && is_found("other:x:99:0\napp::%u:0", "app"));
  CHECK(is_found("", NULL) && is_found("\n\n\n", NULL) && is_found(":::::\n", NULL) && is_found("app", NULL));
  CHECK(is_found(":x:%u:0\n", NULL) && is_found("app:x:%u", NULL) && is_found("app:x:%u0:\n", NULL));
  CHECK(is_found("eightisx:x:%u:0\n", NULL) && is_found("seven77:x:%u:0\n", "seven77") && is_found("../x:x:%u:0\n", NULL));
  char *large = malloc(PASSWD_BYTES + 100);
  for (int run = 0; run < 200; run++) {
    size_t size = run == 0 ? PASSWD_BYTES + 100 : next_random() % 400;
    for (size_t i = 0; i < size; i++) large[i] = ":\n0ax\0/"[next_random() % 7];
    find(large, size, name, sizeof name);
  }
  free(large);
  unlink(file);
}

void test_counters(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), found_capacity;
  char *area = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *start = area, *found;
  size_t capacity = page + 1;
  CHECK(area != MAP_FAILED);
  forget_tables();
  CHECK(!crac_find_counters(&found, &found_capacity));
  add_field("PerfMemory", "_start", 0, &start);
  CHECK(!crac_find_counters(&found, &found_capacity));
  add_field("PerfMemory", "_capacity", 0, &capacity);
  CHECK(crac_find_counters(&found, &found_capacity) && found == area && found_capacity == 2 * page);
  strcpy(area, "counter");
  char *other = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(other != MAP_FAILED && move_counters(other, area, 2 * page) && !strcmp(area, "counter"));
  start = area + 8;
  CHECK(!crac_find_counters(&found, &found_capacity));
  start = NULL;
  CHECK(!crac_find_counters(&found, &found_capacity));
  start = area, capacity = 0;
  CHECK(!crac_find_counters(&found, &found_capacity));
  capacity = SIZE_MAX; /* rounds up to nothing */
  CHECK(!crac_find_counters(&found, &found_capacity));
  forget_tables();
  add_field("PerfMemory", "_start", 0, NULL);
  add_field("PerfMemory", "_capacity", 0, NULL);
  CHECK(!crac_find_counters(&found, &found_capacity));
  munmap(area, 2 * page);
}
