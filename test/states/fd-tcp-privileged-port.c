/*
 * a port that only the privileged may bind to
 * not restored: port * cannot be bound: permission denied (it needs CAP_NET_BIND_SERVICE or net.ipv4.ip_unprivileged_port_start)
 */
#include "inet.h"

int main(void) {
  int fd = inet_socket(AF_INET, SOCK_STREAM), port = 600;
  struct sockaddr_in address = {AF_INET, 0, {INADDR_ANY}, {0}};
  int is_taken;
  do {
    address.sin_port = htons((uint16_t)++port);
    is_taken = bind(fd, (struct sockaddr *)&address, sizeof address) != 0;
  } while (is_taken && port < 1023);
  need(!is_taken && listen(fd, 1) == 0);
  await_restore();
}
