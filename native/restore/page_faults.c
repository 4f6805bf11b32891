#include "page_faults.h"

#include <asm/siginfo.h>

#include "cold.h"
#include "syscall.h"

/* No other thread touches memory of the process: a fault there is one of the restorer's own memory. */
static void give_up_at(int signal, siginfo_t *info, void *context) {
  (void)context;
  uint64_t address = (uint64_t)info->si_addr;
  if (call(gettid) != call(getpid)) fail_itself("the restorer's own memory cannot be had");
  if (signal == SIGBUS) give_up("memory at %x cannot be read: its file is too short, or its disk fails", address);
  give_up("memory at %x is not what plan.bin says", address);
}

void catch_page_faults(void) {
  struct sigaction action = {.sa_handler = (__sighandler_t)(void (*)(void))give_up_at, .sa_flags = SA_SIGINFO, .sa_mask = ~0UL};
#ifdef SA_RESTORER
  action.sa_flags |= SA_RESTORER; /* must be there, and is not used: the handler does not return */
#endif
  long error = call(rt_sigaction, SIGBUS, &action, 0, 8);
  if (error == 0) error = call(rt_sigaction, SIGSEGV, &action, 0, 8);
  if (error != 0) give_up("page faults cannot be caught: %e", error);
}
