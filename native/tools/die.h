/* How every tool here fails: one line on stderr and exit code 125, as the image's entrypoint does. */
#ifndef CRAC_DIE_H
#define CRAC_DIE_H
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 1, 2), noreturn, unused)) static void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs(program_invocation_short_name, stderr);
  fputs(": ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(125);
}

__attribute__((format(printf, 1, 2), noreturn, unused)) static void die_with_error(const char *format, ...) {
  int number = errno;
  va_list arguments;
  va_start(arguments, format);
  fputs(program_invocation_short_name, stderr);
  fputs(": ", stderr);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, ": %s\n", strerror(number));
  exit(125);
}
#endif
