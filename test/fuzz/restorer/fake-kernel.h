/*
 * The restorer on the host, inside a test: its own code, compiled with sanitizers, over a kernel that is made up here.
 * Memory is real, so that a write to where nothing is ends in a fault; descriptors, threads and files are not.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H
#include <stddef.h>
#include <stdint.h>

struct given {
  const uint8_t *plan; /* plan.bin */
  size_t plan_size;
  const uint8_t *cold; /* the cold file */
  size_t cold_size;
  const uint8_t *vdso; /* the kernel's */
  size_t vdso_size;
  char **strings; /* arguments, NULL, environment, NULL */
};

enum how_it_ended { RELEASED, STARTED_COLD, FAILED_ITSELF };
struct outcome {
  enum how_it_ended how;
  char said[1024]; /* the first line on stderr */
};

/* One whole start of the restorer, up to where the threads would go on, or the app would start cold. */
struct outcome run_restorer(const struct given *given);

/* Sets file_size and the checksum, so that what is damaged is looked at at all. */
void seal_plan(uint8_t *plan, size_t size);
#endif
