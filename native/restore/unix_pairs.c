
#include "cold.h"
#include "make_descriptor.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000

/* What waits to be read at one end was sent from the other: packet_count times { u32 size, bytes }. */
static void fill_queue(const struct crac_fd *wanted, const struct crac_socket *socket, int from) {
  const char *at = plan_blob(socket->queue_blob);
  for (uint32_t i = 0; i < socket->packet_count; i++) {
    uint32_t size;
    memcpy(&size, at, sizeof size);
    at += sizeof size;
    long sent = call(sendto, from, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent != (long)size)
      give_up("the unix socket of descriptor %u does not hold what waits to be read: %e", (uint64_t)wanted->fd,
              is_error(sent) ? sent : -11L);
    at += size;
  }
}

static void close_direction(const struct crac_socket *socket, int end) {
  /* SHUT_RD, SHUT_WR and SHUT_RDWR are 0, 1 and 2. */
  long error = socket->shutdown == 0 ? 0 : call(shutdown, end, socket->shutdown - 1);
  if (error != 0) give_up("a socket cannot be shut down: %e", error);
}

void make_unix_pair(const struct crac_fd *wanted) {
  const struct crac_socket *sockets = plan_records(CRAC_SOCKETS);
  const struct crac_socket *ends[2] = {&sockets[wanted->b], &sockets[wanted->c]};
  int pair[2];
  checked(wanted, "a socket pair", call(socketpair, AF_UNIX, ends[0]->type, 0, pair));
  lift(pair);
  for (int i = 0; i < 2; i++) set_options(pair[i], ends[i]);
  for (int i = 0; i < 2; i++) fill_queue(wanted, ends[i], pair[1 - i]);
  for (int i = 0; i < 2; i++) close_direction(ends[i], pair[i]);
  place_pair(wanted, pair);
}

long make_dead(const struct crac_fd *wanted) {
  int pair[2];
  checked(wanted, "a closed connection", call(socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
  call(close, pair[1]);
  return pair[0];
}
