/*
 * A thread beside the app's that ends when it is through; the first answer goes first. Populating holds the address space's
 * lock as a reader, and what maps memory waits for it: so pieces are small, and the priority is the app's, for a thread that
 * is not run while it holds a lock holds up all. Where the app has mapped something else by then, that gets its pages earlier.
 */
#include "later.h"

#include <linux/sched.h>
#include <linux/time_types.h>

#include "plan_file.h"
#include "syscall.h"
#include "threads.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#define PIECE_BYTES 0x10000u
#define DELAY_MS 10

static char stack[8192] __attribute__((aligned(64)));

static void populate(const struct crac_mem *area) {
  for (uint64_t done = 0; done < area->length; done += PIECE_BYTES) {
    uint64_t left = area->length - done;
    call(madvise, area->address + done, left < PIECE_BYTES ? left : PIECE_BYTES, MADV_POPULATE_WRITE);
  }
}

static void populate_all(void *unused) {
  (void)unused;
  const struct crac_mem *area = plan_records(CRAC_MEM), *end = area + plan_count(CRAC_MEM);
  struct __kernel_timespec delay = {0, DELAY_MS * 1000000L};
  wait_for_release();
  call(nanosleep, &delay, 0);
  for (; area < end; area++)
    if (area->kind == CRAC_MEM_LATER) populate(area);
  for (;;) call(exit, 0);
}

/* Where no thread can be made, the app has its page faults. */
void start_later(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM);
  uint32_t count = plan_count(CRAC_MEM);
  if (count == 0 || areas[count - 1].kind != CRAC_MEM_LATER) return; /* they come last */
  start_thread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
               (uint64_t)stack + sizeof stack, 0, 0, populate_all, NULL);
}
