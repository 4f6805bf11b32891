/*
 * TCP connections come back as ones whose peer has gone: open, half closed, reset, with bytes that were not read
 * restored: map
 */
#include <poll.h>
#include <signal.h>

#include "inet.h"

static void check_gone(int fd) {
  char byte;
  struct pollfd wanted = {fd, POLLIN, 0};
  check_equal(poll(&wanted, 1, 0), 1);
  check_equal(read(fd, &byte, 1), 0);
  check(write(fd, "x", 1) == -1 && errno == EPIPE);
}

int main(void) {
  int listener = listen_on(AF_INET, 0, 5), port = port_of(listener);
  need(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  int client = connect_to(AF_INET, SOCK_STREAM, port), server = accept(listener, NULL, NULL);
  int half = connect_to(AF_INET, SOCK_STREAM, port), other_half = accept(listener, NULL, NULL);
  int reset = connect_to(AF_INET, SOCK_STREAM, port), resetting = accept(listener, NULL, NULL);
  need(write(client, "unread", 6) == 6 && shutdown(half, SHUT_WR) == 0 && fcntl(server, F_SETFL, O_NONBLOCK) == 0);
  struct linger at_once = {1, 0};
  need(setsockopt(resetting, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0 && close(resetting) == 0);
  char byte;
  need(read(reset, &byte, 1) == -1 && errno == ECONNRESET);
  await_restore();
  check_gone(client);
  check_gone(server);
  check_gone(half);
  check_gone(other_half);
  check_gone(reset);
  check_equal(fcntl(server, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  check_accepts(listener, AF_INET, port);
}
