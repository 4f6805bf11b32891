/*
 * files, a pipe, a listener and a watcher that the agent has decided to close: their numbers stay taken
 * restored: map
 * resource: 3 close
 * resource: 4 close
 * resource: 5 close
 * resource: 7 close
 * resource: 8 close
 */
#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "state.h"

int main(void) {
  int ends[2];
  char byte;
  write_file("gone", "text", 4);
  need(open("log", O_WRONLY | O_CREAT, 0666) == 3 && open("gone", O_RDONLY) == 4 && unlink("gone") == 0);
  need(pipe(ends) == 0 && ends[0] == 5);
  need(socket(AF_INET, SOCK_STREAM, 0) == 7 && listen(7, 1) == 0);
  need(inotify_init1(0) == 8);
  await_restore();
  check(write(3, "x", 1) == -1 && errno == EBADF);
  check(read(4, &byte, 1) == -1 && errno == EBADF);
  check_equal(read(5, &byte, 1), 0);
  check_equal(read(6, &byte, 1), 0);
  check(accept(7, NULL, NULL) == -1);
  for (int fd = 3; fd <= 8; fd++) check(fcntl(fd, F_GETFD) == 0);
  check(fcntl(9, F_GETFD) == -1);
}
