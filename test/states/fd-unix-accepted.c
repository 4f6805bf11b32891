/*
 * a unix connection between a listener of the app and the app itself
 * restored: map
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un address = {AF_UNIX, "\0accepted in a state"};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  char byte;
  need(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 3) == 0);
  need(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
  int server = accept(listener, NULL, NULL);
  need(server >= 0);
  await_restore();
  check(write(client, "c", 1) == 1 && read(server, &byte, 1) == 1 && byte == 'c');
  check(write(server, "s", 1) == 1 && read(client, &byte, 1) == 1 && byte == 's');
  check(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
  check(accept(listener, NULL, NULL) >= 0);
}
