/*
 * The memory limit of our control group. /proc/self/cgroup has lines "0::PATH" (version 2) or "N:memory:PATH" (version
 * 1); inside a container PATH may be the host's while the mount shows only our own group, so both places are tried.
 */
#include "checks.h"
#include "cold.h"
#include "plan_file.h"
#include "text.h"

#define NO_LIMIT (1ULL << 60) /* version 1 writes about 2^63 for "none" */
#define MIB (1024 * 1024)

static uint64_t read_limit(const char *mount, const char *group, const char *name) {
  static char path[4096], value[64];
  format(path, sizeof path, "%s%s/%s", mount, group, name);
  if (read_file(path, value, sizeof value) <= 0) return 0;
  const char *at = value;
  uint64_t limit = parse_number(&at, 10);
  return at == value ? NO_LIMIT : limit; /* "max" */
}

static void check_limit(const char *mount, const char *group, const char *name) {
  uint64_t limit = read_limit(mount, group, name);
  if (limit == 0) limit = read_limit(mount, "", name);
  if (limit == 0 || limit >= NO_LIMIT) return;
  if (limit < plan->needed_bytes)
    give_up("not enough memory: %u MiB needed, the limit is %u MiB", (plan->needed_bytes + MIB - 1) / MIB, limit / MIB);
  if (limit < plan->max_heap_bytes) /* a JVM that starts here chooses a heap that fits, or obeys its -Xmx */
    give_up("the heap at the checkpoint may grow to %u MiB, the memory limit is %u MiB: set -Xmx for the build",
            (plan->max_heap_bytes + MIB - 1) / MIB, limit / MIB);
}

static int names_memory(const char *controllers) {
  for (const char *at = controllers; *at != 0; at++) {
    const char *rest = at == controllers || at[-1] == ',' ? after_prefix(at, "memory") : NULL;
    if (rest != NULL && (*rest == 0 || *rest == ',')) return 1;
  }
  return 0;
}

void check_memory_limit(void) {
  static char groups[8192];
  if (read_file("/proc/self/cgroup", groups, sizeof groups) <= 0) return;
  for (char *line = groups, *next; *line != 0; line = next) {
    for (next = line; *next != 0 && *next != '\n'; next++) continue;
    if (*next != 0) *next++ = 0;
    char *controllers = line, *path;
    while (*controllers != 0 && *controllers != ':') controllers++;
    if (*controllers++ == 0) continue;
    for (path = controllers; *path != 0 && *path != ':'; path++) continue;
    if (*path == 0) continue;
    *path++ = 0;
    if (path[0] == '/' && path[1] == 0) path++;
    if (*controllers == 0) check_limit("/sys/fs/cgroup", path, "memory.max");
    if (names_memory(controllers)) check_limit("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
  }
}
