/* The few memory and string functions there are without a libc. */
#ifndef RESTORE_TEXT_H
#define RESTORE_TEXT_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int is_equal(const char *left, const char *right);
/* What follows `prefix` in `text`, or NULL. */
const char *after_prefix(const char *text, const char *prefix);
/* Reads digits at *text and moves it past them. base: 10 or 16. */
uint64_t parse_number(const char **text, unsigned base);

/* Formats into `out`, always ends with NUL. %s string, %u uint64_t decimal, %x uint64_t hexadecimal, %e long: errno (negative) as words. */
size_t format(char *out, size_t size, const char *form, ...);
size_t format_list(char *out, size_t size, const char *form, va_list list);

/* The first `size - 1` bytes of a file, ended with NUL; the number of bytes or a negative errno. */
long read_file(const char *path, char *out, size_t size);
#endif
