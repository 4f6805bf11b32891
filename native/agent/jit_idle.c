/*
 * Whether the JIT compilers rest: their threads sleep and use no CPU time. Seen from outside, through /proc, it holds
 * for every version and also for one long compilation.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 20
#define QUIET_POLLS 15

static ssize_t read_text(const char *task, const char *file, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%.20s/%s", task, file);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
  if (fd >= 0)
    close(fd);
  text[length > 0 ? length : 0] = 0;
  return length;
}

/*
 * CPU time of all compilers in nanoseconds: the first number of schedstat or, without schedstat, the ticks in the 14th and
 * 15th field of stat. One that has ended is not in it any more. `awake`: how many do not sleep; none means that nothing
 * waits to be compiled.
 */
uint64_t crac_compiler_work(int *awake) {
  uint64_t work = 0;
  char text[512];
  *awake = 0;
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks)
    return 0;
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.' || read_text(task->d_name, "comm", text, sizeof text) <= 0 || !strstr(text, " Compiler"))
      continue;
    if (read_text(task->d_name, "stat", text, sizeof text) <= 0)
      continue;
    const char *at = strrchr(text, ')');
    *awake += at && at[1] && at[2] != 'S';
    uint64_t ticks = 0, number = 0;
    for (int field = 2; at && *at && field < 16; at++) {
      if (*at == ' ') {
        ticks += field == 14 || field == 15 ? number : 0;
        field++;
        number = 0;
      } else if (*at >= '0' && *at <= '9') {
        number = number * 10 + (uint64_t)(*at - '0');
      }
    }
    uint64_t nanoseconds = 0;
    bool exact = read_text(task->d_name, "schedstat", text, sizeof text) > 0;
    for (at = text; exact && *at >= '0' && *at <= '9'; at++)
      nanoseconds = nanoseconds * 10 + (uint64_t)(*at - '0');
    work += exact ? nanoseconds : ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
  }
  closedir(tasks);
  return work;
}

/* False: they did not rest within the limit. */
bool crac_await_idle_compilers(int limit_ms) {
  const struct timespec pause = {0, POLL_MS * 1000000L};
  uint64_t before = 0;
  int quiet = 0;
  for (int waited_ms = 0; quiet < QUIET_POLLS && waited_ms < limit_ms; waited_ms += POLL_MS) {
    int awake;
    uint64_t work = crac_compiler_work(&awake);
    quiet = awake || work != before ? 0 : quiet + 1;
    before = work;
    nanosleep(&pause, NULL);
  }
  return quiet >= QUIET_POLLS;
}
