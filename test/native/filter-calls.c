/*
 * filter-calls RULE… -- COMMAND…: runs a command under a seccomp filter, as an older kernel or a stricter profile would
 * answer. RULE is CALL=ERRNO or CALL:ARGUMENT:MASK:VALUE=ERRNO, which holds where (argument & MASK) == VALUE.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_INSTRUCTIONS 256

static const struct {
  const char *name;
  unsigned number;
} calls[] = {
#define CALL(name) {#name, SYS_##name}
    CALL(clone),  CALL(clone3),  CALL(close_range), CALL(epoll_create1),   CALL(eventfd2),
    CALL(futex),      CALL(madvise), CALL(mmap),   CALL(mremap),      CALL(prctl),           CALL(prlimit64),
    CALL(rseq),       CALL(timerfd_create), CALL(set_robust_list),
};
static const struct {
  const char *name;
  unsigned number;
} errors[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"ENOMEM", ENOMEM}, {"EINVAL", EINVAL}};

static struct sock_filter program[MAX_INSTRUCTIONS];
static unsigned short size;

_Noreturn static void refuse(const char *rule) {
  fprintf(stderr, "filter-calls: %s: not a rule\n", rule);
  exit(2);
}

static void add(unsigned short code, unsigned char yes, unsigned char no, unsigned k) {
  if (size == MAX_INSTRUCTIONS) refuse("too many");
  program[size++] = (struct sock_filter){code, yes, no, k};
}

static void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }

/* Goes on when the half word fits, else past all that is left of the rule. */
static void compare_half(unsigned argument, int high, unsigned mask, unsigned value, unsigned char left) {
  load(offsetof(struct seccomp_data, args[0]) + argument * 8 + (high ? 4 : 0));
  add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
  add(BPF_JMP | BPF_JEQ | BPF_K, 0, left, value);
}

static void add_rule(const char *rule) {
  unsigned argument = 0, number = ~0u, error = 0;
  unsigned long mask = 0, value = 0;
  char call[32], answer[32];
  int with_argument = sscanf(rule, "%31[^:=]:%u:%li:%li=%31s", call, &argument, (long *)&mask, (long *)&value, answer) == 5;
  if (!with_argument && sscanf(rule, "%31[^:=]=%31s", call, answer) != 2) refuse(rule);
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
    if (strcmp(call, calls[i].name) == 0) number = calls[i].number;
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    if (strcmp(answer, errors[i].name) == 0) error = errors[i].number;
  if (number == ~0u || error == 0 || argument > 5) refuse(rule);
  load(offsetof(struct seccomp_data, nr));
  add(BPF_JMP | BPF_JEQ | BPF_K, 0, with_argument ? 7 : 1, number);
  if (with_argument) {
    compare_half(argument, 0, (unsigned)mask, (unsigned)value, 4);
    compare_half(argument, 1, (unsigned)(mask >> 32), (unsigned)(value >> 32), 1);
  }
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
}

int main(int argc, char **argv) {
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++) add_rule(argv[i]);
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {size, program};
  if (i + 1 >= argc || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("filter-calls");
    return 2;
  }
  execv(argv[i + 1], argv + i + 1);
  perror(argv[i + 1]);
  return 2;
}
