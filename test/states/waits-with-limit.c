/*
 * threads that wait for a length of time: nanosleep, poll, ppoll, select, epoll, futex, sigtimedwait, a socket's time-out
 * restored: map
 * clock: ahead, behind
 */
#include <poll.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "state.h"

/* Long enough to be dumped in it. A wait may end early with EINTR, as by a signal; it must not be longer by much, or for ever. */
#define MS 400
static const struct timespec limit = {0, MS * 1000000};

static int by_nanosleep(void) {
  struct timespec left = limit;
  while (nanosleep(&left, &left) != 0)
    if (errno != EINTR || left.tv_sec > 0 || left.tv_nsec > limit.tv_nsec) return 0;
  return 1;
}
static int by_poll(void) { return poll(NULL, 0, MS) == 0 || errno == EINTR; }
static int by_ppoll(void) { return ppoll(NULL, 0, &limit, NULL) == 0 || errno == EINTR; }
static int by_select(void) {
  struct timeval left = {0, MS * 1000};
  return select(0, NULL, NULL, NULL, &left) == 0 || errno == EINTR;
}
static int by_pselect(void) { return pselect(0, NULL, NULL, NULL, &limit, NULL) == 0 || errno == EINTR; }
static int by_epoll(void) {
  struct epoll_event event;
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd >= 0 && (epoll_wait(fd, &event, 1, MS) == 0 || errno == EINTR) && close(fd) == 0;
}
static int by_futex(void) {
  uint32_t word = 0;
  return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit) == -1 && (errno == ETIMEDOUT || errno == EINTR);
}
static int by_sigtimedwait(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  return sigtimedwait(&set, NULL, &limit) == -1 && (errno == EAGAIN || errno == EINTR);
}
static int by_receive(void) {
  struct timeval time = {0, MS * 1000};
  int pair[2];
  char byte;
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
  return recv(pair[0], &byte, 1, 0) == -1 && (errno == EAGAIN || errno == EINTR);
}

static struct {
  int (*wait)(void);
  long number;
  _Atomic pid_t tid;
} calls[] = {
    {by_nanosleep, SYS_clock_nanosleep, 0}, {by_poll, SYS_poll, 0},          {by_ppoll, SYS_ppoll, 0},
    {by_select, SYS_pselect6, 0},             {by_pselect, SYS_pselect6, 0},   {by_epoll, SYS_epoll_wait, 0},
    {by_futex, SYS_futex, 0},               {by_sigtimedwait, SYS_rt_sigtimedwait, 0},
    {by_receive, SYS_recvfrom, 0},
};
#define COUNT (sizeof calls / sizeof *calls)

static void *run(void *index) {
  calls[(uintptr_t)index].tid = gettid();
  return calls[(uintptr_t)index].wait() ? &calls[(uintptr_t)index] : NULL;
}

int main(void) {
  pthread_t threads[COUNT];
  for (uintptr_t i = 0; i < COUNT; i++) threads[i] = start_thread(run, (void *)i);
  for (unsigned i = 0; i < COUNT; i++) {
    while (calls[i].tid == 0) usleep(100);
    await_system_call(calls[i].tid, calls[i].number);
  }
  await_restore();
  for (unsigned i = 0; i < COUNT; i++)
    if (result_of(threads[i]) == NULL) leave(1, "wait %u did not end as it should", i);
}
