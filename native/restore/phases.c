#include "phases.h"

#include "clock.h"
#include "launch.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"

#define MONOTONIC 1
#define MAX_PHASES 16

static struct {
  const char *name;
  int64_t started_ns;
} phases[MAX_PHASES];
static unsigned phase_count;

void begin_phase(const char *name) {
  unsigned index = phase_count < MAX_PHASES ? phase_count++ : MAX_PHASES - 1;
  phases[index].started_ns = launch.is_debug ? read_clock_ns(MONOTONIC) : 0;
  phases[index].name = name;
}

const char *current_phase(void) {
  unsigned count = __atomic_load_n(&phase_count, __ATOMIC_ACQUIRE);
  return count == 0 || phases[count - 1].name == NULL ? "start" : phases[count - 1].name;
}

void report_phases(void) {
  if (!launch.is_debug) return;
  int64_t end_ns = read_clock_ns(MONOTONIC);
  char line[1024];
  size_t at = format(line, sizeof line, "crac: restored in %u us:", (uint64_t)(end_ns - phases[0].started_ns) / 1000);
  for (unsigned i = 0; i < phase_count; i++) {
    int64_t until_ns = i + 1 < phase_count ? phases[i + 1].started_ns : end_ns;
    at += format(line + at, sizeof line - at, "%s %s %u", i == 0 ? "" : ",", phases[i].name,
                 (uint64_t)(until_ns - phases[i].started_ns) / 1000);
  }
  at += format(line + at, sizeof line - at, " (%u areas, %u descriptors, %u threads)\n", (uint64_t)plan_count(CRAC_MEM),
               (uint64_t)plan_count(CRAC_FDS), (uint64_t)plan_count(CRAC_THREADS));
  call(write, 2, line, at);
}
