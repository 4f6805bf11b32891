/*
 * netns
 *
 * Holds a network namespace of its own, in which nothing but 127.0.0.1 can be reached: containers and processes that
 * the oci engine starts beside each other enter it as /proc/PID/ns/net. Prints one line when it is there. Ends when its
 * parent dies or its standard input is closed; whoever is inside keeps the namespace alive.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "die.h"

/* A new namespace has a loopback interface that is down. */
static void raise_loopback(void) {
  struct ifreq request = {.ifr_name = "lo"};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request)) die_with_error("looking at the loopback interface");
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request)) die_with_error("raising the loopback interface");
  close(fd);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc != 1) die("usage: netns");
  pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) die_with_error("PR_SET_PDEATHSIG");
  if (getppid() != parent) return 0;
  if (unshare(CLONE_NEWNET)) die_with_error("making a network namespace");
  raise_loopback();
  puts("ready");
  fflush(stdout);
  char ignored[256];
  for (;;) {
    ssize_t size = read(0, ignored, sizeof ignored);
    if (size == 0 || (size < 0 && errno != EINTR)) return 0;
  }
}
