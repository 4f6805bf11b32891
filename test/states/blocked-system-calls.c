/*
 * threads that wait in the kernel without a time limit: read, write, poll, ppoll, select, epoll, accept, recv, futex, sigwait, pause
 * restored: map
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "state.h"

/* Each ends when its descriptor can be read or written; -EINTR is told to the app as after any signal. */
#define again(call) \
  ({ \
    long result_; \
    while ((result_ = (call)) < 0 && errno == EINTR) continue; \
    result_; \
  })

static int read_pipe[2], full_pipe[2], poll_pipe[2], ppoll_pipe[2], select_pipe[2], epoll_pipe[2], pair[2], counter, listener, epoll;
static struct sockaddr_in address;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int has_changed;
static volatile int was_signalled;

static int by_read(void) {
  char byte;
  return again(read(read_pipe[0], &byte, 1)) == 1 && byte == 'r';
}
static int by_write(void) { return again(write(full_pipe[1], "w", 1)) == 1; }
static int by_poll(void) {
  struct pollfd fd = {poll_pipe[0], POLLIN, 0};
  return again(poll(&fd, 1, -1)) == 1 && fd.revents == POLLIN;
}
static int by_ppoll(void) {
  struct pollfd fd = {ppoll_pipe[0], POLLIN, 0};
  sigset_t during, now;
  sigfillset(&during);
  int is_ready = again(ppoll(&fd, 1, NULL, &during)) == 1 && fd.revents == POLLIN;
  return is_ready && pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 && !sigismember(&now, SIGUSR2);
}
static int by_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(select_pipe[0], &set);
  return again(select(select_pipe[0] + 1, &set, NULL, NULL, NULL)) == 1 && FD_ISSET(select_pipe[0], &set);
}
static int by_epoll(void) {
  struct epoll_event event;
  return again(epoll_wait(epoll, &event, 1, -1)) == 1 && event.data.u64 == 0xabcdef0123456789;
}
static int by_accept(void) {
  int fd = again(accept(listener, NULL, NULL));
  return fd >= 0 && close(fd) == 0;
}
static int by_receive(void) {
  char text[8];
  return again(recv(pair[0], text, sizeof text, 0)) == 5 && memcmp(text, "hello", 5) == 0;
}
static int by_eventfd(void) {
  uint64_t value;
  return again(read(counter, &value, 8)) == 8 && value == 7;
}
static int by_condition(void) {
  pthread_mutex_lock(&lock);
  while (!has_changed) pthread_cond_wait(&changed, &lock);
  return pthread_mutex_unlock(&lock) == 0;
}
static int by_sigwait(void) {
  sigset_t set;
  int number;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  return sigwait(&set, &number) == 0 && number == SIGRTMIN;
}
static int by_sigsuspend(void) {
  sigset_t mask, now;
  sigfillset(&mask);
  sigdelset(&mask, SIGUSR2);
  while (!was_signalled) sigsuspend(&mask);
  return pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR2);
}

static struct {
  int (*wait)(void);
  long number;
  _Atomic pid_t tid;
} calls[] = {
    {by_read, SYS_read, 0},           {by_write, SYS_write, 0},      {by_poll, SYS_poll, 0},
    {by_ppoll, SYS_ppoll, 0},         {by_select, SYS_pselect6, 0},    {by_epoll, SYS_epoll_wait, 0},
    {by_accept, SYS_accept, 0},       {by_receive, SYS_recvfrom, 0}, {by_eventfd, SYS_read, 0},
    {by_condition, SYS_futex, 0},     {by_sigwait, SYS_rt_sigtimedwait, 0},
    {by_sigsuspend, SYS_rt_sigsuspend, 0},
};
#define COUNT (sizeof calls / sizeof *calls)

static void *run(void *index) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGRTMIN);
  if (calls[(uintptr_t)index].wait != by_ppoll) sigaddset(&mask, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  calls[(uintptr_t)index].tid = gettid();
  return calls[(uintptr_t)index].wait() ? &calls[(uintptr_t)index] : NULL;
}

static void on_signal(int number) {
  (void)number;
  was_signalled = 1;
}

static void open_all(void) {
  socklen_t size = sizeof address;
  struct epoll_event event = {EPOLLIN, {.u64 = 0xabcdef0123456789}};
  int *pipes[] = {read_pipe, full_pipe, poll_pipe, ppoll_pipe, select_pipe, epoll_pipe};
  for (int i = 0; i < 6; i++) need(pipe(pipes[i]) == 0);
  need(fcntl(full_pipe[1], F_SETPIPE_SZ, 4096) == 4096);
  char page[4096] = {0};
  need(write(full_pipe[1], page, sizeof page) == sizeof page);
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && (counter = eventfd(0, 0)) >= 0);
  need((epoll = epoll_create1(0)) >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, epoll_pipe[0], &event) == 0);
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  need((listener = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && bind(listener, (void *)&address, sizeof address) == 0);
  need(listen(listener, 5) == 0 && getsockname(listener, (void *)&address, &size) == 0);
}

static void wake_all(pthread_t const threads[]) {
  char bytes[4096];
  uint64_t seven = 7;
  int client = socket(AF_INET, SOCK_STREAM, 0);
  check(write(read_pipe[1], "r", 1) == 1 && read(full_pipe[0], bytes, sizeof bytes) == sizeof bytes);
  check(write(poll_pipe[1], "p", 1) == 1 && write(ppoll_pipe[1], "p", 1) == 1 && write(select_pipe[1], "s", 1) == 1);
  check(write(epoll_pipe[1], "e", 1) == 1 && connect(client, (void *)&address, sizeof address) == 0);
  check(write(pair[1], "hello", 5) == 5 && write(counter, &seven, 8) == 8);
  pthread_mutex_lock(&lock);
  has_changed = 1;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
  check(pthread_kill(threads[10], SIGRTMIN) == 0 && pthread_kill(threads[11], SIGUSR2) == 0);
}

int main(void) {
  pthread_t threads[COUNT];
  need(signal(SIGUSR2, on_signal) != SIG_ERR);
  open_all();
  for (uintptr_t i = 0; i < COUNT; i++) threads[i] = start_thread(run, (void *)i);
  for (unsigned i = 0; i < COUNT; i++) {
    while (calls[i].tid == 0) usleep(100);
    await_system_call(calls[i].tid, calls[i].number);
  }
  await_restore();
  wake_all(threads);
  for (unsigned i = 0; i < COUNT; i++)
    if (result_of(threads[i]) == NULL) leave(1, "thread %u did not get what it waited for", i);
}
