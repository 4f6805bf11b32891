/*
 * The cold file: NUL-terminated strings, first the decimal index in argv at which the container's -D arguments go,
 * then argv[0], argv[1], … The other arguments of the container are appended.
 */
#include "cold_command.h"

#include <linux/mman.h>

#include "launch.h"
#include "syscall.h"
#include "text.h"

#define IMAGE_COLD "/opt/crac/cold"
#define FEW_ARGUMENTS 8192u

static char bytes[65536];
static long byte_count; /* 0: not read; negative: errno */
static char *few_arguments[FEW_ARGUMENTS], **arguments;

void read_cold_command(void) {
  byte_count = read_file(launch.cold_path, bytes, sizeof bytes);
  if (byte_count >= 0 || launch.is_cold_path_given) return;
  long error = byte_count; /* of the file beside the checkpoint, which may lie elsewhere or have been taken away */
  byte_count = read_file(IMAGE_COLD, bytes, sizeof bytes);
  if (byte_count < 0) byte_count = error;
}

/* At most one argument for each byte of the file, one for each of the container, and the NULL at their end. */
static long make_room(void) {
  uint64_t count = (uint64_t)launch.argc + byte_count + 1;
  arguments = few_arguments;
  if (count <= FEW_ARGUMENTS) return 0;
  long mapped = call(mmap, 0, count * sizeof *arguments, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (is_error(mapped)) return mapped;
  arguments = (char **)mapped;
  return 0;
}

static int is_property(const char *argument) { return argument[0] == '-' && argument[1] == 'D' && argument[2] != 0; }

static uint64_t append(uint64_t count, int properties) {
  for (uint32_t i = 1; i < launch.argc; i++)
    if (is_property(launch.argv[i]) == properties) arguments[count++] = launch.argv[i];
  return count;
}

/* The number of words that the file has; 0 when it is damaged. */
static uint64_t compose(void) {
  const char *at = bytes, *end = bytes + byte_count;
  uint64_t properties_at = parse_number(&at, 10), count = 0, from_file = 0;
  if (byte_count < 2 || byte_count + 1 >= (long)sizeof bytes || end[-1] != 0 || at == bytes || *at++ != 0) return 0;
  for (; at < end; at += strlen(at) + 1, from_file++) {
    if (from_file == properties_at) count = append(count, 1);
    arguments[count++] = (char *)at;
  }
  if (properties_at >= from_file) count = append(count, 1);
  arguments[append(count, 0)] = NULL;
  return from_file;
}

char **compose_cold_command(char *reason, size_t size) {
  if (byte_count == 0) read_cold_command();
  long error = byte_count < 0 ? byte_count : make_room();
  if (error == 0 && compose() != 0) return arguments;
  error == 0 ? format(reason, size, "the cold command is damaged")
             : format(reason, size, "the cold command %s cannot be read: %e", launch.cold_path, error);
  return NULL;
}
