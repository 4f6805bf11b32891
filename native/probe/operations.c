#define _GNU_SOURCE
#include "operations.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char text[1 << 20];

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0) return -1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
    close(fd);
    return -1;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){10, 0}, sizeof(struct timeval));
  return fd;
}

/* Value of a header in the head, which ends with NUL; NULL: not there. */
static const char *find_header(const char *head, const char *name) {
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    if (!strncasecmp(line + 2, name, strlen(name)) && line[2 + strlen(name)] == ':') return line + 3 + strlen(name);
  }
  return NULL;
}

/* Whether `used` bytes are a whole answer: RFC 9112, 6.3, with a length or in chunks without trailers. */
static int is_whole(size_t used) {
  text[used] = 0;
  char *end = strstr(text, "\r\n\r\n");
  if (!end) return 0;
  *end = 0;
  const char *length = find_header(text, "content-length");
  int chunked = find_header(text, "transfer-encoding") != NULL;
  *end = '\r';
  size_t head = (size_t)(end - text) + 4;
  if (length) return used >= head + strtoul(length, NULL, 10);
  return chunked && used >= head + 5 && !memcmp(text + used - 5, "0\r\n\r\n", 5);
}

static int receive(int fd) {
  size_t used = 0;
  while (used < sizeof text - 1) {
    ssize_t got = recv(fd, text + used, sizeof text - 1 - used, 0);
    if (got <= 0) return -1;
    used += (size_t)got;
    if (is_whole(used)) return strncmp(text, "HTTP/1.1 200", 12) ? -1 : 0;
  }
  return -1;
}

int operate(int port, const char *path, const long *counts, int count_count, long already, int64_t deadline_ns,
            int64_t *done_ns) {
  char request[4096];
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
  int fd = connect_to(port), next = 0;
  long done = already;
  while (fd >= 0 && next < count_count) {
    if (done >= counts[next]) {
      done_ns[next++] = now_ns();
      continue;
    }
    /* Servers close a connection after some thousands of requests. */
    int answered = send(fd, request, (size_t)length, MSG_NOSIGNAL) == length && !receive(fd);
    if (!answered) {
      close(fd);
      fd = connect_to(port);
      if (fd < 0 || send(fd, request, (size_t)length, MSG_NOSIGNAL) != length || receive(fd)) break;
    }
    done++;
    if (now_ns() > deadline_ns) break;
  }
  if (fd >= 0) close(fd);
  return next == count_count ? 0 : -1;
}
