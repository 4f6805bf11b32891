/*
 * a listening unix socket where another file lies, which stays
 * not restored: unix socket *socket cannot be bound: address already in use
 * before restore: rm socket && touch socket && chmod 777 .
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un address = {AF_UNIX, ""};
  need(getcwd(address.sun_path, 80) != NULL);
  strcat(address.sun_path, "/socket");
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  need(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
  await_restore();
}
