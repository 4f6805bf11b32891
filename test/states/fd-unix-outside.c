/*
 * a unix socket that is connected to another process
 * not dumped: descriptor 3 is connected to another process or to something outside the container. Close it in beforeCheckpoint.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un address = {AF_UNIX, "\0outside of a state"};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), ready[2];
  char byte;
  need(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0 && pipe(ready) == 0);
  pid_t pid = fork();
  if (pid == 0 && fork() == 0) { /* it belongs to init, or to whoever takes orphans */
    close(0), close(1), close(2), close(ready[0]);
    accept(listener, NULL, NULL);
    close(listener);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    close(ready[1]);
    pause();
  }
  if (pid == 0) _exit(0);
  need(waitpid(pid, NULL, 0) == pid && close(listener) == 0 && close(ready[1]) == 0);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  need(connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0);
  await_restore();
}
