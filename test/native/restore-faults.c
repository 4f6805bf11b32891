/*
 * Compiled into the restorer that is tested with faults. In its environment:
 *   CRAC_FAULT_AT=N      the first thread's N-th system call is not made
 *   CRAC_FAULT_BESIDE=N  the same for the N-th of all other threads
 *   CRAC_FAULT_CALL=C    every system call of number C fails, whichever thread's
 *   CRAC_FAULT_WITH=E    but fails with errno E, or, when it is 0, never returns
 *   CRAC_SHORT_READS=N   a read of memory gives N bytes at most
 * A line "fault CALL" with the system call's number on descriptor 2 tells that the N-th has been reached.
 */
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/uio.h>

#include "machine.h"
#include "syscall.h"
#include "text.h"

#define RAW(name, a, b, c) system_call(__NR_##name, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static struct {
  int is_read;
  uint64_t at, beside, call, error, short_reads;
} wanted = {.call = ~0UL};
static uint64_t count, count_beside;
static char sleeper_stack[4096] __attribute__((aligned(64)));

static uint64_t number_of(const char *text) { return parse_number(&text, 10); }

static void read_wanted(void) {
  static char environment[65536];
  long fd = RAW(openat, AT_FDCWD, "/proc/self/environ", O_RDONLY);
  long size = RAW(read, fd, environment, sizeof environment - 1);
  RAW(close, fd, 0, 0);
  for (const char *at = environment; at < environment + size; at += strlen(at) + 1) {
    const char *value;
    if ((value = after_prefix(at, "CRAC_FAULT_AT=")) != NULL) wanted.at = number_of(value);
    if ((value = after_prefix(at, "CRAC_FAULT_BESIDE=")) != NULL) wanted.beside = number_of(value);
    if ((value = after_prefix(at, "CRAC_FAULT_CALL=")) != NULL) wanted.call = number_of(value);
    if ((value = after_prefix(at, "CRAC_FAULT_WITH=")) != NULL) wanted.error = number_of(value);
    if ((value = after_prefix(at, "CRAC_SHORT_READS=")) != NULL) wanted.short_reads = number_of(value);
  }
  wanted.is_read = 1;
}

static void sleep_until_killed(void *unused) {
  (void)unused;
  RAW(prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
  for (;;) RAW(ppoll, 0, 0, 0);
}

/* As a wait for a disk is: no signal ends it but a deadly one. */
static void hang(void) {
  clone_thread(CLONE_VM | CLONE_VFORK | SIGCHLD, (uint64_t)sleeper_stack + sizeof sleeper_stack, 0, 0, 0, sleep_until_killed, 0);
}

long next_fault(long number) {
  if (!wanted.is_read) read_wanted();
  int is_first = RAW(gettid, 0, 0, 0) == RAW(getpid, 0, 0, 0);
  uint64_t now = is_first ? ++count : __atomic_add_fetch(&count_beside, 1, __ATOMIC_RELAXED);
  if ((uint64_t)number == wanted.call) return -(long)wanted.error;
  if (now != (is_first ? wanted.at : wanted.beside)) return 0;
  char line[64];
  RAW(write, 2, line, format(line, sizeof line, "fault %u\n", (uint64_t)number));
  if (wanted.error == 0) hang();
  return -(long)wanted.error;
}

static long read_shortly(long fd, const struct iovec *pieces, long piece_count, long offset) {
  long done = 0;
  for (uint64_t left = wanted.short_reads; left > 0 && piece_count > 0; pieces++, piece_count--) {
    uint64_t length = pieces->iov_len < left ? pieces->iov_len : left;
    long got = system_call(__NR_pread64, fd, (long)pieces->iov_base, (long)length, offset + done, 0, 0);
    if (got < 0) return got;
    done += got;
    left -= (uint64_t)got;
  }
  return done;
}

long system_call_or_fault(long number, long a, long b, long c, long d, long e, long f) {
  long fault = next_fault(number);
  if (fault != 0 && number == __NR_close) system_call(number, a, 0, 0, 0, 0, 0); /* done whatever it answers */
  if (fault != 0) return fault;
  if (number == __NR_preadv && wanted.short_reads != 0) return read_shortly(a, (const struct iovec *)b, c, d);
  return system_call(number, a, b, c, d, e, f);
}
