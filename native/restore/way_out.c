#include "way_out.h"

#include <linux/errno.h>
#include <linux/futex.h>

#include "syscall.h"

#define MS 1000000L
#define TRIES 100 /* one each millisecond: who holds it longer hangs, and changes nothing any more */

enum { FREE, HELD, KEPT, TAKEN };
static uint32_t state; /* a futex word */

static int change(uint32_t from, uint32_t to) {
  return __atomic_compare_exchange_n(&state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static _Noreturn void wait_for_the_end(void) {
  for (;;) call(futex, &state, FUTEX_WAIT_PRIVATE, TAKEN, 0);
}

void hold_way_out(void) {
  if (!change(FREE, HELD) && __atomic_load_n(&state, __ATOMIC_ACQUIRE) == TAKEN) wait_for_the_end();
}

void let_go_way_out(void) {
  if (!change(HELD, FREE)) wait_for_the_end();
}

void keep_way_out(void) {
  hold_way_out();
  if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == KEPT) return;
  if (!change(HELD, KEPT)) wait_for_the_end();
  call(futex, &state, FUTEX_WAKE_PRIVATE, 1);
}

/* 0 when the deadline has passed. */
static long wait_until(const struct __kernel_timespec *deadline) {
  for (;;) {
    uint32_t now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
    if (now == KEPT) return -ECANCELED;
    long woken = call(futex, &state, FUTEX_WAIT_BITSET_PRIVATE, now, deadline, 0, FUTEX_BITSET_MATCH_ANY);
    if (woken == -ETIMEDOUT) return 0;
    if (woken != 0 && woken != -EAGAIN && woken != -EINTR) return woken;
  }
}

int take_way_out(const struct __kernel_timespec *deadline) {
  struct __kernel_timespec while_held = {0, MS};
  if (wait_until(deadline) != 0) return 0;
  for (int i = 0; i < TRIES; i++) {
    if (change(FREE, TAKEN)) return 1;
    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == KEPT) return 0;
    call(futex, &state, FUTEX_WAIT_PRIVATE, HELD, &while_held);
  }
  return change(HELD, TAKEN);
}
