/*
 * unix sockets that are bound and do not listen, and ones without a name
 * restored: map
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un log = {AF_UNIX, "\0log of a state"}, later = {AF_UNIX, "\0later"};
  int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0), stream = socket(AF_UNIX, SOCK_STREAM, 0), one = 1;
  int unnamed = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  need(bind(datagrams, (struct sockaddr *)&log, sizeof log) == 0 && bind(stream, (struct sockaddr *)&later, sizeof later) == 0);
  need(setsockopt(datagrams, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0);
  await_restore();
  struct ucred sender;
  socklen_t size = sizeof one;
  char bytes[8], control[CMSG_SPACE(sizeof sender)];
  check(getsockopt(datagrams, SOL_SOCKET, SO_PASSCRED, &one, &size) == 0);
  check_equal(one, 1);
  check(sendto(unnamed, "hello", 5, 0, (struct sockaddr *)&log, sizeof log) == 5);
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  check_equal(recvmsg(datagrams, &message, 0), 5);
  memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
  check_equal(sender.pid, getpid());
  check_equal(fcntl(unnamed, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  check(listen(stream, 1) == 0 && connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&later, sizeof later) == 0);
}
