/* What the container gave us: arguments, environment, and what of it is meant for the restorer. */
#ifndef RESTORE_LAUNCH_H
#define RESTORE_LAUNCH_H
#include <stdint.h>

enum restore_mode { RESTORE_AUTO, RESTORE_REQUIRE, RESTORE_OFF };

struct launch {
  uint32_t argc, envc; /* argc counts argv[0] */
  char **argv, **env;  /* both end with NULL */
  uint64_t string_bytes; /* of argv[1…] and env, with their NULs */
  enum restore_mode mode;
  int is_kept; /* the strings lie in the restorer's own memory */
  int is_debug;
  int is_recording; /* CRAC_RECORD=1, see prefetch.h */
  const char *checkpoint_dir, *cold_path;
  int is_cold_path_given; /* CRAC_COLD */
  const char *vdso; /* tests: "patch" or "stay" forces that way, else "" */
  uint64_t timeout_ms; /* of a restore; 0: none */
  int64_t started_ns; /* CLOCK_REALTIME */
};
extern struct launch launch;

void read_launch(uint64_t *kernel_stack);
/* Gives up when the strings could not be kept beyond the kernel's stack. */
void check_launch(void);
#endif
