/*
 * /tmp/.java_pidPID: the socket on which HotSpot listens for jcmd and jstack. A client that finds it does not ask for a new
 * one. So one that an ended JVM with the same process id has left behind (a container that was killed and started again)
 * must go; HotSpot sees to that when a JVM starts, which a restored one does not.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

void crac_remove_stale_attach_file(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/tmp/.java_pid%d", (int)syscall(SYS_getpid));
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0)
    return;
  if (connect(probe, (struct sockaddr *)&address, sizeof address) && errno == ECONNREFUSED)
    unlink(address.sun_path);
  close(probe);
}
