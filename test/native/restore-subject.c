/*
 * A process state to restore: never started, only placed in memory by a hand-made plan (plan-maker.ts). Its first
 * thread looks at everything that the restorer should have made and prints one "name value" line each.
 */
#include <asm/prctl.h>
#include <asm/signal.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <stdint.h>

#include "../../native/mailbox.h"
#include "../../native/restore/syscall.h"
#include "../../native/restore/text.h"

struct control { /* the fake thread control blocks: what glibc's struct pthread is to us */
  uint64_t self, tid;
};
struct control controls[2] = {{0, 111}, {0, 222}};
uint32_t fixed_ids[2] = {111, 222};
uint64_t robust_lists[2][3];
struct { /* struct rseq, its first 32 bytes */
  uint32_t cpu_id_start, cpu_id, rest[6];
} rseq_areas[2] __attribute__((aligned(32))) = {{99999, 99999, {0}}, {99999, 99999, {0}}};
struct __kernel_timespec deadlines[3] = {{1000, 999999999}, {0x7ffffffffffffffe, 5}, {0, 0}};
int64_t nano_offset = 50;
uint32_t second_has_run, second_report[4]; /* tid, its own idea of tid, fs is right, name is right */
uint64_t held_second; /* 1: let go by us after a while, 2: by nobody */
uint64_t vdso_clock_gettime, vdso_unknown; /* addresses in the old vdso, filled in by the plan */
volatile uint32_t signals_seen;
#define FIXED_BITS 0x80000000u /* beside the second thread's id, as FUTEX_WAITERS in a lock */
char first_stack[65536] __attribute__((aligned(4096)));
char second_stack[65536] __attribute__((aligned(4096)));
char signal_stack[16384] __attribute__((aligned(4096)));
char late_page[8192] __attribute__((aligned(4096))) = "late"; /* made read-only by a PROTECT record */
struct crac_mailbox *mailbox;

void on_signal(int number) {
  char here;
  if (number == SIGUSR1 && &here >= signal_stack && &here < signal_stack + sizeof signal_stack) signals_seen++;
}
__asm__(".globl return_from_signal\nreturn_from_signal: mov $15, %eax\nsyscall");
__asm__(".globl start_first\nstart_first: call first_thread\n.globl start_second\nstart_second: call second_thread");
__asm__(".globl start_idle\nstart_idle: mov $34, %eax\nsyscall\njmp start_idle"); /* pause */

static void print(const char *form, ...) {
  char line[4096];
  va_list list;
  va_start(list, form);
  call(write, 1, line, format_list(line, sizeof line, form, list));
  va_end(list);
}

static void print_signed(const char *name, int64_t value) {
  print("%s %s%u\n", name, value < 0 ? "-" : "", (uint64_t)(value < 0 ? -value : value));
}

static int is_fs_at(uint64_t address) {
  uint64_t fs = 0;
  call(arch_prctl, ARCH_GET_FS, &fs);
  return fs == address;
}

static int is_named(const char *name) {
  char now[16];
  call(prctl, PR_GET_NAME, now);
  return is_equal(now, name);
}

static int robust_list_is(uint64_t address) {
  uint64_t head = 0, size = 0;
  call(get_robust_list, 0, &head, &size);
  return head == address && size == 24;
}

_Noreturn void second_thread(void) {
  second_report[0] = (uint32_t)call(gettid);
  second_report[1] = (uint32_t)controls[1].tid;
  second_report[2] = is_fs_at((uint64_t)&controls[1]) && robust_list_is((uint64_t)robust_lists[1]);
  second_report[3] = is_named("second");
  __atomic_store_n(&second_has_run, 1, __ATOMIC_RELEASE);
  call(futex, &second_has_run, FUTEX_WAKE, 1);
  for (;;) call(exit, 0); /* the kernel clears controls[1].tid */
}

static void report_threads(uint64_t argument) {
  uint64_t mask = 0;
  uint32_t tid = (uint32_t)call(gettid), mxcsr = 0;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  print("argument %x\nmxcsr %x\n", argument, (uint64_t)mxcsr);
  print("first.ids %s\n", controls[0].tid == tid && fixed_ids[0] == tid ? "right" : "wrong");
  print("first.fs %s\n", is_fs_at((uint64_t)&controls[0]) && robust_list_is((uint64_t)robust_lists[0]) ? "right" : "wrong");
  print("first.name %s\n", is_named("first thread") ? "right" : "wrong");
  call(rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
  print("first.rseq %s\n", rseq_areas[0].cpu_id < 4096 ? "registered" : "not registered");
  print("first.mask %x\n", mask);
  while (__atomic_load_n(&second_has_run, __ATOMIC_ACQUIRE) == 0) call(futex, &second_has_run, FUTEX_WAIT, 0, 0);
  print("second.ids %s\n", second_report[0] == second_report[1] && (second_report[0] | FIXED_BITS) == fixed_ids[1] ? "right" : "wrong");
  print("second.fs %s\nsecond.name %s\n", second_report[2] ? "right" : "wrong", second_report[3] ? "right" : "wrong");
  for (uint32_t now; (now = *(volatile uint32_t *)&controls[1].tid) != 0;) call(futex, &controls[1].tid, FUTEX_WAIT, now, 0);
  print("second.rseq %s\n", rseq_areas[1].cpu_id == (uint32_t)-2 ? "failed" : "other");
  print("second.cleared right\n");
}

static void report_gate(void) {
  if (held_second == 0) return;
  struct __kernel_timespec while_held = {0, 50000000};
  call(nanosleep, &while_held, 0);
  print("second.held %s\n", second_has_run ? "no" : "yes");
  if (held_second != 1) return;
  uint32_t *gate = (uint32_t *)mailbox->gate;
  __atomic_store_n(gate, 1, __ATOMIC_RELEASE);
  call(futex, gate, FUTEX_WAKE_PRIVATE, 0x7fffffff);
}

static void report_signals(void) {
  struct sigaction action;
  call(tgkill, call(getpid), call(gettid), SIGUSR1);
  print("signals_seen %u\n", (uint64_t)signals_seen);
  call(rt_sigaction, SIGPIPE, 0, &action, 8);
  print("sigpipe %s\n", action.sa_handler == SIG_IGN ? "ignored" : "other");
  call(rt_sigaction, SIGHUP, 0, &action, 8);
  print("sighup %s\n", action.sa_handler == SIG_DFL ? "default" : "other");
}

static void report_status(uint64_t fd) {
  print("fd.%u flags=%x fd_flags=%x\n", fd, (uint64_t)call(fcntl, fd, F_GETFL) & ~(uint64_t)0x8000, (uint64_t)call(fcntl, fd, F_GETFD));
}

static void report_descriptors(void) {
  char bytes[64] = {0};
  uint64_t counter = 0;
  for (uint64_t fd = 3; fd < 64; fd++)
    if (call(fcntl, fd, F_GETFD) >= 0) report_status(fd);
  print("beyond %u\n", (uint64_t)(call(close_range, 64, ~0u, 0) == 0 ? 0 : 1));
  call(read, 5, &counter, 8);
  print("eventfd %u\n", counter);
  call(read, 7, bytes, 3); /* a copy of 6: one position for both */
  call(read, 6, bytes + 3, 3);
  print("file %s\n", bytes);
  memset(bytes, 0, sizeof bytes);
  print("pipe %u", (uint64_t)call(read, 8, bytes, sizeof bytes));
  print(" %s capacity %u\n", bytes, (uint64_t)call(fcntl, 9, F_GETPIPE_SZ));
  print("dead read %u", (uint64_t)call(read, 12, bytes, sizeof bytes));
  print(" write %e\n", call(write, 12, bytes, 1));
  memset(bytes, 0, sizeof bytes);
  print("pair %u", (uint64_t)call(read, 14, bytes, sizeof bytes));
  print(" %s\n", bytes);
  call(write, 13, "x", 1);
  print("pair %u", (uint64_t)call(read, 14, bytes, sizeof bytes));
  print(" other end %u\n", (uint64_t)call(read, 13, bytes, sizeof bytes));
  call(read, 15, &counter, 8);
  print("timerfd %u\n", counter);
  memset(bytes, 0, sizeof bytes);
  print("closed pipe %u", (uint64_t)call(read, 16, bytes, sizeof bytes));
  print(" %s %u\n", bytes, (uint64_t)call(read, 16, bytes, sizeof bytes));
  struct epoll_event events[4];
  call(write, 9, "y", 1);
  long ready = call(epoll_wait, 4, events, 4, 1000);
  print("epoll %u %x %x\n", (uint64_t)ready, (uint64_t)events[0].events, (uint64_t)events[0].data);
  uint8_t address[28];
  int size = sizeof address;
  call(getsockname, 10, address, &size);
  int idle = 0, idle_size = sizeof idle;
  call(getsockopt, 10, 6 /* IPPROTO_TCP */, 4 /* TCP_KEEPIDLE */, &idle, &idle_size);
  print("listener %u keepidle %u\n", (uint64_t)address[2] << 8 | address[3], (uint64_t)idle);
}

static void report_process(void) {
  char path[256];
  struct rlimit limit;
  long size = call(readlink, "/proc/self/cwd", path, sizeof path - 1);
  path[size < 0 ? 0 : size] = 0;
  print("cwd %s\numask %x\n", path, (uint64_t)call(umask, 0));
  call(prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
  print("nofile %u\n", (uint64_t)limit.rlim_cur);
  print("late %s %e\n", late_page, call(read, 6, late_page, 8)); /* EFAULT: not writable any more */
  print("brk %x\n", (uint64_t)call(brk, 0));
}

static void report_clock(void) {
  struct __kernel_timespec now = {0, 0}, kernel;
  for (int i = 0; i < 3; i++) print("deadline.%u %u %u\n", (uint64_t)i, (uint64_t)deadlines[i].tv_sec, (uint64_t)deadlines[i].tv_nsec);
  print_signed("nano_offset", nano_offset);
  long error = ((long (*)(int, void *))vdso_clock_gettime)(1, &now);
  call(clock_gettime, 1, &kernel);
  int64_t behind = (kernel.tv_sec - now.tv_sec) * 1000000000LL + kernel.tv_nsec - now.tv_nsec;
  print("vdso %s\n", error == 0 && behind >= 0 && behind < 1000000000 ? "right" : "wrong");
  if (vdso_unknown != 0) print_signed("vdso_unknown", ((long (*)(void))vdso_unknown)());
}

static void report_mailbox(void) {
  print("mailbox state=%u argc=%u pid=%s\n", (uint64_t)mailbox->state, (uint64_t)mailbox->argc,
        mailbox->pid == (uint32_t)call(getpid) ? "right" : "wrong");
  print_signed("clock_delta_ns", mailbox->clock_delta_ns);
  int64_t took_ns = mailbox->restore_released_ns - mailbox->restore_started_ns; /* by the wall clock, which is far from 0 */
  print("released %s\n", took_ns > 0 && took_ns < 60000000000 ? "right" : "wrong");
  const char *text = mailbox->data;
  for (uint32_t i = 0; i < mailbox->argc + mailbox->envc; i++, text += strlen(text) + 1)
    print("%s %s\n", i < mailbox->argc ? "arg" : "env", text);
  print("data_size %s\n", text == mailbox->data + mailbox->data_size ? "right" : "wrong");
}

static void report_maps(void) {
  static char maps[65536];
  read_file("/proc/self/maps", maps, sizeof maps);
  for (char *line = maps, *end; *line != 0; line = end) {
    for (end = line; *end != 0 && *end != '\n'; end++) continue;
    if (*end != 0) *end++ = 0;
    print("map %s\n", line);
  }
}

_Noreturn void first_thread(uint64_t argument) {
  report_gate();
  report_threads(argument);
  report_signals();
  report_descriptors();
  report_process();
  report_clock();
  report_mailbox();
  report_maps();
  for (;;) call(exit_group, 42);
}
