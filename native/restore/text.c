#include "text.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "syscall.h"

void *memcpy(void *to, const void *from, size_t size) {
  copy_bytes(to, from, size);
  return to;
}

void *memset(void *to, int value, size_t size) {
  fill_bytes(to, value, size);
  return to;
}

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left, *b = right;
  for (; size != 0; size--, a++, b++)
    if (*a != *b) return *a < *b ? -1 : 1;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

int is_equal(const char *left, const char *right) {
  for (; *left != 0 && *left == *right; left++) right++;
  return *left == *right;
}

const char *after_prefix(const char *text, const char *prefix) {
  for (; *prefix != 0; prefix++, text++)
    if (*text != *prefix) return NULL;
  return text;
}

uint64_t parse_number(const char **text, unsigned base) {
  uint64_t value = 0;
  for (;; (*text)++) {
    unsigned digit = (unsigned char)**text - '0';
    if (base == 16 && digit > 9) digit = (unsigned char)(**text | 32) - 'a' + 10u;
    if (digit >= base) return value;
    value = value * base + digit;
  }
}

static const struct {
  int number;
  const char *words;
} errors[] = {
    {EPERM, "operation not permitted"},
    {ENOENT, "no such file or directory"},
    {EAGAIN, "resource temporarily unavailable"},
    {ENOMEM, "cannot allocate memory"},
    {EACCES, "permission denied"},
    {EBUSY, "device or resource busy"},
    {EEXIST, "already there"},
    {ENOTDIR, "not a directory"},
    {EINVAL, "invalid argument"},
    {EMFILE, "too many open files"},
    {ENFILE, "too many open files in the system"},
    {EROFS, "read-only file system"},
    {E2BIG, "argument list too long"},
    {ENOEXEC, "exec format error"},
    {ENOSYS, "the kernel does not have this call"},
    {EADDRINUSE, "address already in use"},
    {EADDRNOTAVAIL, "address not available"},
    {EAFNOSUPPORT, "address family not supported"},
};

static void put(char *out, size_t size, size_t *at, const char *text) {
  for (; *text != 0 && *at + 1 < size; text++) out[(*at)++] = *text;
}

static void put_number(char *out, size_t size, size_t *at, uint64_t value, unsigned base) {
  char digits[24];
  unsigned first = sizeof digits - 1;
  digits[first] = 0;
  do digits[--first] = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  put(out, size, at, digits + first);
}

static void put_error(char *out, size_t size, size_t *at, long error) {
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    if (errors[i].number == -error) return put(out, size, at, errors[i].words);
  put(out, size, at, "error ");
  put_number(out, size, at, (uint64_t)-error, 10);
}

size_t format_list(char *out, size_t size, const char *form, va_list list) {
  size_t at = 0;
  for (; *form != 0; form++) {
    char single[2] = {*form, 0};
    if (*form != '%') {
      put(out, size, &at, single);
      continue;
    }
    switch (*++form) {
      case 's': put(out, size, &at, va_arg(list, const char *)); break;
      case 'u': put_number(out, size, &at, va_arg(list, uint64_t), 10); break;
      case 'x': put_number(out, size, &at, va_arg(list, uint64_t), 16); break;
      case 'e': put_error(out, size, &at, va_arg(list, long)); break;
      default: put(out, size, &at, "%"); break;
    }
  }
  out[at] = 0;
  return at;
}

size_t format(char *out, size_t size, const char *form, ...) {
  va_list list;
  va_start(list, form);
  size_t length = format_list(out, size, form, list);
  va_end(list);
  return length;
}

long read_file(const char *path, char *out, size_t size) {
  long fd = call(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (is_error(fd)) return fd;
  size_t at = 0;
  long got = 0;
  while (at + 1 < size && (got = call(read, fd, out + at, size - 1 - at)) > 0) at += (size_t)got;
  call(close, fd);
  out[at] = 0;
  return is_error(got) ? got : (long)at;
}
