#include "process.h"

#include <asm/signal.h>
#include <linux/prctl.h>

#include "cold.h"
#include "page_faults.h"
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

static const struct {
  uint32_t flag;
  int option;
  unsigned long value;
} attributes[] = {
    {CRAC_NOT_DUMPABLE, PR_SET_DUMPABLE, 0},
    {CRAC_SUBREAPER, PR_SET_CHILD_SUBREAPER, 1},
    {CRAC_NO_HUGE_PAGES, PR_SET_THP_DISABLE, 1},
    {CRAC_NO_NEW_PRIVILEGES, PR_SET_NO_NEW_PRIVS, 1},
};

static uint32_t lasting; /* attributes that we set, and that execve does not reset */

static void remember_lasting(void) {
  int is_subreaper = 1;
  call(prctl, PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
  if (!is_subreaper) lasting |= plan->flags & CRAC_SUBREAPER;
  if (call(prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0) lasting |= plan->flags & CRAC_NO_HUGE_PAGES;
}

long put_back_process_attributes(void) {
  long error = lasting & CRAC_SUBREAPER ? call(prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) : 0;
  if (error == 0 && lasting & CRAC_NO_HUGE_PAGES) error = call(prctl, PR_SET_THP_DISABLE, 0, 0, 0, 0);
  return error;
}

void set_process_attributes(void) {
  if (plan->flags & (CRAC_SUBREAPER | CRAC_NO_HUGE_PAGES)) remember_lasting();
  for (unsigned i = 0; i < sizeof attributes / sizeof *attributes; i++) {
    if ((plan->flags & attributes[i].flag) == 0) continue;
    long error = call(prctl, attributes[i].option, attributes[i].value, 0, 0, 0);
    if (error != 0) give_up("prctl option %u cannot be set: %e", (uint64_t)attributes[i].option, error);
  }
  for (uint32_t command = 1; command < 1u << 16; command <<= 1) {
    if ((plan->flags >> CRAC_MEMBARRIER_SHIFT & command) == 0) continue;
    long error = call(membarrier, command, 0, 0);
    if (error != 0) give_up("membarrier command %u is refused: %e", (uint64_t)command, error);
  }
}

static void set_action(uint32_t signal, const struct sigaction *action) {
  long error = call(rt_sigaction, signal, action, 0, 8);
  if (error != 0) give_up("signal %u cannot be given its handler: %e", (uint64_t)signal, error);
}

void set_signal_actions(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (uint32_t number = 1; number <= 64; number++) /* exec has left others at their default */
    if ((ignored_signals() | PAGE_FAULTS) & 1UL << (number - 1)) set_action(number, &action);
  const struct crac_sigact *wanted = plan_records(CRAC_SIGACT);
  for (uint32_t i = 0; i < plan_count(CRAC_SIGACT); i++) {
    action.sa_handler = (__sighandler_t)wanted[i].handler;
    action.sa_flags = wanted[i].flags;
    action.sa_restorer = (__sigrestore_t)wanted[i].restorer;
    action.sa_mask = wanted[i].mask;
    set_action(wanted[i].signal, &action);
  }
}
