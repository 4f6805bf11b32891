/*
 * a listening unix socket whose folder is not there
 * not restored: unix socket *run/socket cannot be bound: no such file or directory
 * before restore: rm -r run
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un address = {AF_UNIX, ""};
  need(mkdir("run", 0777) == 0 && getcwd(address.sun_path, 80) != NULL);
  strcat(address.sun_path, "/run/socket");
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  need(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
  await_restore();
}
