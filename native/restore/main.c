/*
 * The image's entrypoint: turns itself into the process that was checkpointed, as plan.bin says, or starts the app cold.
 * Up to close_scratch() every failure ends in give_up().
 */
#include "checks.h"
#include "clock.h"
#include "cold.h"
#include "cold_command.h"
#include "descriptors.h"
#include "launch.h"
#include "later.h"
#include "machine.h"
#include "mailbox_fill.h"
#include "memory.h"
#include "page_faults.h"
#include "phases.h"
#include "plan_file.h"
#include "prefetch.h"
#include "process.h"
#include "surroundings.h"
#include "threads.h"
#include "vdso.h"
#include "watchdog.h"
#include "way_out.h"

static void check(void) {
  check_launch();
  open_plan(launch.checkpoint_dir);
  prefetch();
  check_address_space();
  check_cpu();
  check_files();
  check_memory_limit();
  check_mailbox_size();
}

_Noreturn void restorer_main(uint64_t *kernel_stack) {
  read_launch(kernel_stack);
  block_signals();
  catch_page_faults();
  if (launch.mode == RESTORE_OFF) start_cold();
  begin_phase("checks");
  start_watchdog();
  read_cold_command();
  check();

  begin_phase("clearing");
  hold_way_out();
  stage_descriptors();
  let_go_way_out();
  remember_surroundings(plan->scratch_fd);
  find_vdso();
  clear_address_space();
  place_vdso();

  begin_phase("memory");
  map_memory();
  if (launch.is_recording) cut_mappings();

  begin_phase("descriptors");
  make_descriptors();

  begin_phase("process");
  set_process_layout();
  shift_times();
  fill_mailbox();
  hold_way_out();
  set_process_attributes();
  let_go_way_out();

  begin_phase("threads");
  make_threads();
  start_later();

  report_phases();
  stamp_mailbox();
  keep_way_out();
  set_signal_actions();
  set_descriptor_limit();
  close_scratch();
  release_threads();
}
