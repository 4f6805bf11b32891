/*
 * as many threads as before: none of the restorer's own stays
 * restored: map
 */
#include "state.h"

static void *run(void *unused) {
  for (;;) pause();
  return unused;
}

static unsigned long long count_threads(void) { return read_number("/proc/self/status", "Threads:", 10); }

int main(void) {
  start_thread(run, NULL);
  need(count_threads() == 2);
  await_restore();
  for (int tries = 0; tries < 5000 && count_threads() > 2; tries++) sleep_ms(1); /* it ends beside this thread */
  check_equal(count_threads(), 2);
}
