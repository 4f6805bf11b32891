/*
 * The mailbox: one anonymous, page-aligned area in the JVM through which the restorer hands over what is new.
 * The thread that waits for the checkpoint sleeps on `state` (private futex, time-out 50 ms, so that a process that was
 * not checkpointed can be told by writing through /proc/PID/mem, see `ctl resume`).
 */
#ifndef CRAC_MAILBOX_H
#define CRAC_MAILBOX_H
#include <stdint.h>

#define CRAC_MAILBOX_MAGIC 0x58424c4d43415243ULL /* "CRACMLBX" */
#define CRAC_MAILBOX_VERSION 2u
#define CRAC_MAILBOX_BYTES (1u << 20)

enum crac_mailbox_state {
  CRAC_WAITING = 1,         /* published, ready to be dumped */
  CRAC_RESTORED = 2,        /* written by the restorer before any thread runs */
  CRAC_NOT_CHECKPOINTED = 3 /* the dump failed: go on in the old process */
};

struct crac_mailbox {
  uint64_t magic;
  uint32_t version, size; /* bytes, of the whole area */
  uint64_t nonce;         /* also in the plan: must be equal */
  uint32_t state;         /* futex word */
  uint32_t argc, envc;    /* strings in data: argc arguments, then envc NAME=value */
  uint32_t data_size;     /* bytes used in data */
  int64_t clock_delta_ns; /* CLOCK_MONOTONIC now minus at the dump */
  int64_t restore_started_ns; /* CLOCK_REALTIME when the restorer began */
  int64_t restore_released_ns; /* CLOCK_REALTIME when the threads were let go */
  uint32_t pid, reserved;
  /*
   * Address of the restorer's uint32_t (private futex) that holds the app's threads back: set to 1 and wake all once
   * environment, properties and random numbers are the new container's. 0: none.
   */
  uint64_t gate;
  char data[]; /* NUL-terminated strings */
};
#endif
