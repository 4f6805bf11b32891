/*
 * a unix socket that is bound to a relative path, when the current folder has changed
 * not dumped: descriptor 3 is a unix socket whose relative path does not lead to its file any more. Bind it to an absolute path, and keep its file.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "state.h"

int main(void) {
  struct sockaddr_un address = {AF_UNIX, "relative"};
  need(socket(AF_UNIX, SOCK_STREAM, 0) == 3 && bind(3, (struct sockaddr *)&address, sizeof address) == 0);
  need(chdir("/") == 0);
  await_restore();
}
