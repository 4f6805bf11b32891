#include "process.h"

#include <asm/signal.h>
#include <linux/prctl.h>

#include "cold.h"
#include "plan_file.h"
#include "surroundings.h"
#include "syscall.h"

void set_process_layout(void) {
  struct prctl_mm_map layout = {
      .start_code = plan->start_code,
      .end_code = plan->end_code,
      .start_data = plan->start_data,
      .end_data = plan->end_data,
      .start_brk = plan->start_brk,
      .brk = plan->brk,
      .start_stack = plan->start_stack,
      .arg_start = plan->arg_start,
      .arg_end = plan->arg_end,
      .env_start = plan->env_start,
      .env_end = plan->env_end,
      .auxv = (void *)plan_blob(plan->auxv_blob),
      .auxv_size = plan->auxv_size,
      .exe_fd = ~0u,
  };
  if (plan->auxv_size == 0) layout.auxv = 0;
  call(prctl, PR_SET_MM, PR_SET_MM_MAP, &layout, sizeof layout);
}

static void set_action(uint32_t signal, const struct sigaction *action) {
  long error = call(rt_sigaction, signal, action, 0, 8);
  if (error != 0) give_up("signal %u cannot be given its handler: %e", (uint64_t)signal, error);
}

void set_signal_actions(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (uint32_t number = 1; number <= 64; number++) /* exec has left others at their default */
    if (ignored_signals() & 1UL << (number - 1)) set_action(number, &action);
  const struct crac_sigact *wanted = plan_records(CRAC_SIGACT);
  for (uint32_t i = 0; i < plan_count(CRAC_SIGACT); i++) {
    action.sa_handler = (__sighandler_t)wanted[i].handler;
    action.sa_flags = wanted[i].flags;
    action.sa_restorer = (__sigrestore_t)wanted[i].restorer;
    action.sa_mask = wanted[i].mask;
    set_action(wanted[i].signal, &action);
  }
}
