/*
 * unix sockets that cannot be made again
 * refused: descriptor 4 (unix socket): a descriptor that was sent to it waits to be read. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 5 (unix socket @receiver in a state): it holds unread data. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 6 (unix socket): it sends to descriptor 5, which does not send to it. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 7 (unix socket *gone): the file that it was bound to was deleted. Close it in beforeCheckpoint and open it again in afterRestore
 * refused: descriptor 9 (unix socket): its connection has not been accepted yet. Close it in beforeCheckpoint and open it again in afterRestore
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

static void send_descriptor(int socket, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  need(sendmsg(socket, &message, 0) == 1);
}

int main(void) {
  struct sockaddr_un receiver = {AF_UNIX, "\0receiver in a state"}, listener = {AF_UNIX, "\0waiting in a state"};
  struct sockaddr_un gone = {AF_UNIX, ""};
  int pair[2];
  socklen_t size = sizeof(sa_family_t) + 20;
  need(getcwd(gone.sun_path, 80) != NULL && strcat(gone.sun_path, "/gone") != NULL);
  need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pair[0] == 3);
  send_descriptor(pair[0], 1);
  need(socket(AF_UNIX, SOCK_DGRAM, 0) == 5 && bind(5, (struct sockaddr *)&receiver, size) == 0);
  need(socket(AF_UNIX, SOCK_DGRAM, 0) == 6 && connect(6, (struct sockaddr *)&receiver, size) == 0 && write(6, "x", 1) == 1);
  need(socket(AF_UNIX, SOCK_STREAM, 0) == 7 && bind(7, (struct sockaddr *)&gone, sizeof gone) == 0 && listen(7, 1) == 0);
  need(unlink(gone.sun_path) == 0);
  need(socket(AF_UNIX, SOCK_STREAM, 0) == 8 && bind(8, (struct sockaddr *)&listener, sizeof listener) == 0 && listen(8, 1) == 0);
  need(socket(AF_UNIX, SOCK_STREAM, 0) == 9 && connect(9, (struct sockaddr *)&listener, sizeof listener) == 0);
  await_restore();
}
