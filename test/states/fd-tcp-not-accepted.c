/*
 * a TCP connection that was not accepted
 * not dumped: descriptor 3 has a connection that the app has not accepted. Take the checkpoint when no client connects; close a listener in beforeCheckpoint if nobody accepts.
 */
#include "inet.h"

int main(void) {
  int listener = listen_on(AF_INET, 0, 5);
  connect_to(AF_INET, SOCK_STREAM, port_of(listener));
  await_restore();
}
