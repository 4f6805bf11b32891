#include "process.h"

#include <asm/signal.h>
#include <linux/prctl.h>

#include "plan_file.h"
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

void set_signal_actions(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number <= 64; number++) call(rt_sigaction, number, &action, 0, 8);
  const struct crac_sigact *wanted = plan_records(CRAC_SIGACT);
  for (uint32_t i = 0; i < plan_count(CRAC_SIGACT); i++) {
    action.sa_handler = (__sighandler_t)wanted[i].handler;
    action.sa_flags = wanted[i].flags;
    action.sa_restorer = (__sigrestore_t)wanted[i].restorer;
    action.sa_mask = wanted[i].mask;
    call(rt_sigaction, wanted[i].signal, &action, 0, 8);
  }
}
