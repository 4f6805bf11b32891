#define _GNU_SOURCE
#include "http.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int ask(int port, const char *path, int64_t deadline_ns, struct answer *answer) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
    close(fd);
    return 0;
  }
  answer->connected_ns = now_ns();
  int64_t left_us = (deadline_ns - answer->connected_ns) / 1000;
  if (left_us < 1000) left_us = 1000;
  struct timeval timeout = {left_us / 1000000, left_us % 1000000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  char request[4096];
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
  size_t used = 0;
  if (send(fd, request, (size_t)length, MSG_NOSIGNAL) == length) {
    ssize_t got;
    while (used < sizeof answer->text - 1 && (got = recv(fd, answer->text + used, sizeof answer->text - 1 - used, 0)) > 0) {
      if (!used) answer->first_byte_ns = now_ns();
      used += (size_t)got;
    }
  }
  close(fd);
  answer->text[used] = 0;
  if (!used || strncmp(answer->text, "HTTP/1.", 7)) return 0;
  answer->status = atoi(answer->text + 9);
  const char *end = strstr(answer->text, "\r\n\r\n");
  answer->body = end ? end + 4 : NULL;
  return 1;
}
