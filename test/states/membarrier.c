/*
 * registered for the kernel's memory barriers, as runtimes are that stop their threads without signals
 * restored: map
 */
#include <linux/membarrier.h>

#include "state.h"

static long barrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

int main(void) {
  need(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0);
  need(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE) == 0);
  need(barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0);
  await_restore();
  check(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
  check(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) == 0);
  check(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) != 0 && errno == EPERM);
}
