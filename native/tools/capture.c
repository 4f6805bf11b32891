/*
 * capture COMMAND [ARGUMENT]...
 *
 * Runs COMMAND with /dev/null as its input and with two true pipes as output and error output, and copies what comes
 * out of them to its own. CRIU dumps a pipe whose other end is elsewhere, but neither a Unix socket (what Node gives
 * its children) nor a file outside the container. Nothing but descriptors 0 to 2 is handed on.
 * Exits as COMMAND does: its code, or 128 + the signal.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "die.h"

static int copy(int from, int to) { /* 0 at the end of the file */
  char buffer[65536];
  ssize_t size = read(from, buffer, sizeof buffer);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  for (ssize_t done = 0; done < size;) {
    ssize_t written = write(to, buffer + done, (size_t)(size - done));
    if (written > 0) done += written;
    else if (written < 0 && errno == EAGAIN) poll(&(struct pollfd){.fd = to, .events = POLLOUT}, 1, -1);
    else if (written < 0 && errno != EINTR) break; /* nobody listens any more: keep the pipe empty all the same */
  }
  return size > 0;
}

int main(int argc, char **argv) {
  if (argc < 2) die("usage: capture COMMAND [ARGUMENT]...");
  int out[2], err[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) die_with_error("/dev/null");
  if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) die_with_error("pipe");
  signal(SIGPIPE, SIG_IGN);
  pid_t child = fork();
  if (child < 0) die_with_error("fork");
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    if (dup2(null, 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0) die_with_error("dup2");
    close_range(3, ~0U, 0);
    execvp(argv[1], argv + 1);
    die_with_error("%s", argv[1]);
  }
  close(out[1]);
  close(err[1]);
  struct pollfd sources[2] = {{.fd = out[0], .events = POLLIN}, {.fd = err[0], .events = POLLIN}};
  int status = 0, ended = 0;
  /* A process that outlives COMMAND may hold the pipes open: once COMMAND has ended, only what is there is copied. */
  while (sources[0].fd >= 0 || sources[1].fd >= 0) {
    int ready = poll(sources, 2, ended ? 0 : 100);
    if (ready == 0 && ended) break;
    for (int i = 0; i < 2; i++)
      if (sources[i].fd >= 0 && sources[i].revents && !copy(sources[i].fd, i + 1)) sources[i].fd = -1;
    if (!ended && waitpid(child, &status, WNOHANG) == child) ended = 1;
  }
  if (!ended && waitpid(child, &status, 0) < 0) die_with_error("waitpid");
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
