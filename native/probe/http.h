/* One HTTP request to loopback, timed. */
#ifndef CRAC_PROBE_HTTP_H
#define CRAC_PROBE_HTTP_H
#include <stdint.h>

struct answer {
  int64_t connected_ns, first_byte_ns; /* CLOCK_MONOTONIC */
  int status;
  char text[65536];
  const char *body; /* inside text, NULL when there is none */
};

/* 1 with an answer; 0 when nobody listens, or the connection broke before its first byte: ask again. */
int ask(int port, const char *path, int64_t deadline_ns, struct answer *answer);
#endif
