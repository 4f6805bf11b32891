/*
 * The image's entrypoint: turns itself into the process that was checkpointed, as plan.bin says, or starts the app cold.
 * Up to release_threads() every failure ends in give_up().
 */
#include "checks.h"
#include "clock.h"
#include "cold.h"
#include "descriptors.h"
#include "launch.h"
#include "machine.h"
#include "mailbox_fill.h"
#include "memory.h"
#include "phases.h"
#include "plan_file.h"
#include "prefetch.h"
#include "process.h"
#include "threads.h"
#include "vdso.h"

static void check(void) {
  open_plan(launch.checkpoint_dir);
  prefetch();
  check_memory_layout();
  check_cpu();
  check_files();
  check_memory_limit();
  check_mailbox_size();
  keep_launch();
}

_Noreturn void restorer_main(uint64_t *kernel_stack) {
  begin_phases();
  block_signals();
  read_launch(kernel_stack);
  read_cold();
  if (launch.mode == RESTORE_OFF) start_cold();
  check();
  end_phase("checks");

  stage_descriptors();
  remember_surroundings(plan->scratch_fd);
  find_vdso();
  clear_address_space();
  place_vdso();
  end_phase("clearing");

  map_memory();
  if (launch.is_recording) cut_mappings();
  end_phase("memory");
  make_descriptors();
  end_phase("descriptors");
  set_process_layout();
  shift_times();
  fill_mailbox();
  set_signal_actions();
  end_phase("process");
  make_threads();
  end_phase("threads");

  report_phases();
  finish_descriptors();
  stamp_mailbox();
  release_threads();
}
