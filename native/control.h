/*
 * Where the agent and ctl meet: the abstract unix socket "\0crac-build/PIDNS/PID". PIDNS is the inode number of the pid
 * namespace, because abstract names belong to the network namespace, which containers may share.
 */
#ifndef CRAC_CONTROL_H
#define CRAC_CONTROL_H
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CRAC_CONTROL_PREFIX "crac-build/"
/* The longest list of steps that a request may name. */
#define CRAC_MAX_NAMES 255
/* What the name of a class that is to be called is made of; it is no longer than CRAC_MAX_NAMES. */
#define CRAC_CLASS_NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$."

/* "pid:[4026531836]" → "4026531836"; "0" where /proc does not say. */
static inline void crac_pid_namespace(char text[24]) {
  char link[64];
  ssize_t length = readlink("/proc/self/ns/pid", link, sizeof link - 1);
  size_t used = 0;
  for (ssize_t i = 0; i < length && used < 23; i++)
    if (link[i] >= '0' && link[i] <= '9')
      text[used++] = link[i];
  if (used == 0)
    text[used++] = '0';
  text[used] = 0;
}

static inline socklen_t crac_control_address(long pid, struct sockaddr_un *address) {
  char namespace[24];
  crac_pid_namespace(namespace);
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, CRAC_CONTROL_PREFIX "%s/%ld", namespace, pid);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}
#endif
