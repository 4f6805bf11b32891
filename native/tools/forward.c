/*
 * forward PID PORT
 *
 * Listens on 127.0.0.1 in the network namespace it was started in, prints the port the kernel chose, and hands every
 * connection on to 127.0.0.1:PORT in the network namespace of process PID: what a published port is to Docker, for a
 * runtime that has none. Ends when its parent dies or its standard input is closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "die.h"

#define MAX_CONNECTIONS 1024

/* One direction: bytes read from `from` wait in `data` for `to`. */
struct stream {
  int from, to;
  size_t start, end;
  int ended; /* `from` has said end of file */
  int shut;  /* and `to` has been told */
  char data[32768];
};
struct connection {
  struct stream up, down;
  int connecting;
};
static struct connection *connections[MAX_CONNECTIONS];
static int connection_count;

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
    .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int parse_number(const char *text, long maximum) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || value < 1 || value > maximum) die("%s: not a number up to %ld", text, maximum);
  return (int)value;
}

static int listen_on_loopback(int *port) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 128) ||
      getsockname(fd, (struct sockaddr *)&address, &size))
    die_with_error("listening on 127.0.0.1");
  *port = ntohs(address.sin_port);
  return fd;
}

/* A socket belongs to the namespace it was made in: the listener stays outside, all later sockets are made inside. */
static void enter_network_of(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET)) die_with_error("entering %s", path);
  close(fd);
}

static void reset(int fd) {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
  close(fd);
}

static void accept_one(int listener, int port) {
  int outside = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;
  if (outside < 0) return;
  int inside = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct connection *connection = calloc(1, sizeof *connection);
  struct sockaddr_in address = loopback(port);
  if (inside < 0 || !connection || connection_count == MAX_CONNECTIONS ||
      (connect(inside, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)) {
    free(connection);
    if (inside >= 0) close(inside);
    reset(outside);
    return;
  }
  setsockopt(outside, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(inside, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  connection->up.from = connection->down.to = outside;
  connection->up.to = connection->down.from = inside;
  connection->connecting = 1;
  connections[connection_count++] = connection;
}

/* -1: the connection is broken. */
static int pump(struct stream *stream) {
  if (stream->start == stream->end && !stream->ended) {
    ssize_t size = read(stream->from, stream->data, sizeof stream->data);
    if (size == 0) stream->ended = 1;
    else if (size > 0) {
      stream->start = 0, stream->end = (size_t)size;
      /* A server that writes head and body apart waits for the head's acknowledgement, which is put off for 40 ms. */
      setsockopt(stream->from, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    }
    else if (errno != EAGAIN && errno != EINTR) return -1;
  }
  while (stream->start < stream->end) {
    ssize_t size = write(stream->to, stream->data + stream->start, stream->end - stream->start);
    if (size < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    stream->start += (size_t)size;
  }
  if (stream->ended && !stream->shut) {
    shutdown(stream->to, SHUT_WR);
    stream->shut = 1;
  }
  return 0;
}

/* 0 when the connection is over. */
static int serve(struct connection *connection) {
  int inside = connection->up.to;
  if (connection->connecting) {
    struct pollfd state = {.fd = inside, .events = POLLOUT};
    if (poll(&state, 1, 0) == 0) return 1;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(inside, SOL_SOCKET, SO_ERROR, &error, &size) || error) return 0;
    connection->connecting = 0;
  }
  if (pump(&connection->up) || pump(&connection->down)) return 0;
  return !(connection->up.shut && connection->down.shut);
}

static void finish(int index) {
  struct connection *connection = connections[index];
  int clean = connection->up.shut && connection->down.shut;
  if (clean) close(connection->up.from), close(connection->up.to);
  else reset(connection->up.from), reset(connection->up.to);
  free(connection);
  connections[index] = connections[--connection_count];
}

static short wanted(const struct connection *connection, const struct stream *in, const struct stream *out) {
  short events = 0;
  if (!connection->connecting && in->start == in->end && !in->ended) events |= POLLIN;
  if (out->start < out->end) events |= POLLOUT;
  return events;
}

int main(int argc, char **argv) {
  static struct pollfd polls[2 + 2 * MAX_CONNECTIONS];
  if (argc != 3) die("usage: forward PID PORT");
  int pid = parse_number(argv[1], 0x7fffffff), port = parse_number(argv[2], 65535);
  pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) die_with_error("PR_SET_PDEATHSIG");
  if (getppid() != parent) return 0;
  signal(SIGPIPE, SIG_IGN);
  int own_port, listener = listen_on_loopback(&own_port);
  enter_network_of(pid);
  printf("%d\n", own_port);
  fflush(stdout);
  for (;;) {
    int count = 0;
    polls[count++] = (struct pollfd){.fd = 0, .events = POLLIN};
    polls[count++] = (struct pollfd){.fd = connection_count < MAX_CONNECTIONS ? listener : -1, .events = POLLIN};
    for (int i = 0; i < connection_count; i++) {
      struct connection *connection = connections[i];
      short outside = wanted(connection, &connection->up, &connection->down);
      short inside = connection->connecting ? POLLOUT : wanted(connection, &connection->down, &connection->up);
      /* A descriptor with nothing to wait for is left out, or POLLHUP would make the loop spin. */
      polls[count++] = (struct pollfd){.fd = outside ? connection->up.from : -1, .events = outside};
      polls[count++] = (struct pollfd){.fd = inside ? connection->up.to : -1, .events = inside};
    }
    if (poll(polls, (nfds_t)count, -1) < 0 && errno != EINTR) die_with_error("poll");
    if (polls[0].revents) {
      char ignored[256];
      if (read(0, ignored, sizeof ignored) <= 0) return 0;
    }
    for (int i = connection_count - 1; i >= 0; i--)
      if ((polls[2 + 2 * i].revents || polls[3 + 2 * i].revents) && !serve(connections[i])) finish(i);
    if (polls[1].revents) accept_one(listener, port);
  }
}
