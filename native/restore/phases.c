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
  int64_t us;
} phases[MAX_PHASES];
static unsigned phase_count;
static int64_t started_ns, phase_started_ns;

void begin_phases(void) { started_ns = phase_started_ns = read_clock_ns(MONOTONIC); }

void end_phase(const char *name) {
  if (!launch.is_debug || phase_count == MAX_PHASES) return;
  int64_t now_ns = read_clock_ns(MONOTONIC);
  phases[phase_count].name = name;
  phases[phase_count++].us = (now_ns - phase_started_ns) / 1000;
  phase_started_ns = now_ns;
}

void report_phases(void) {
  if (!launch.is_debug) return;
  char line[1024];
  size_t at = format(line, sizeof line, "crac: restored in %u us:", (uint64_t)(read_clock_ns(MONOTONIC) - started_ns) / 1000);
  for (unsigned i = 0; i < phase_count; i++)
    at += format(line + at, sizeof line - at, "%s %s %u", i == 0 ? "" : ",", phases[i].name, (uint64_t)phases[i].us);
  at += format(line + at, sizeof line - at, " (%u areas, %u descriptors, %u threads)\n", (uint64_t)plan_count(CRAC_MEM),
               (uint64_t)plan_count(CRAC_FDS), (uint64_t)plan_count(CRAC_THREADS));
  call(write, 2, line, at);
}
