#include "launch.h"

#include "clock.h"
#include "cold.h"
#include "mailbox.h"
#include "text.h"

#define KEPT_BYTES CRAC_MAILBOX_BYTES
#define KEPT_STRINGS 65536u

struct launch launch;
static char kept_bytes[KEPT_BYTES];
static char *kept_strings[KEPT_STRINGS];

static const char *environment(const char *name, const char *otherwise) {
  for (char **entry = launch.env; *entry != NULL; entry++) {
    const char *rest = after_prefix(*entry, name);
    if (rest != NULL && *rest == '=' && rest[1] != 0) return rest + 1;
  }
  return otherwise;
}

/* By its name, not as "DIR/..": DIR may be missing, closed to us, or a link. */
static char *next_to(const char *dir, const char *name, char *out, size_t size) {
  size_t length = format(out, size, "%s", dir);
  while (length > 0 && out[length - 1] == '/') length--;
  while (length > 0 && out[length - 1] != '/') length--;
  format(out + length, size - length, "%s", name);
  return out;
}

static char **keep(char **strings, uint32_t count, char ***next, char **bytes) {
  char **kept = *next;
  for (uint32_t i = 0; i < count; i++) {
    size_t size = strlen(strings[i]) + 1;
    kept[i] = memcpy(*bytes, strings[i], size);
    *bytes += size;
  }
  kept[count] = NULL;
  *next += count + 1;
  return kept;
}

/* Into the restorer's own memory, so that they outlive the kernel's stack. */
static void keep_strings(void) {
  char **next = kept_strings, *bytes = kept_bytes;
  uint64_t self_bytes = launch.argc == 0 ? 0 : strlen(launch.argv[0]) + 1;
  if (launch.string_bytes + self_bytes > KEPT_BYTES || launch.argc + launch.envc + 2 > KEPT_STRINGS) return;
  launch.argv = keep(launch.argv, launch.argc, &next, &bytes);
  launch.env = keep(launch.env, launch.envc, &next, &bytes);
  launch.is_kept = 1;
}

void check_launch(void) {
  if (!launch.is_kept)
    give_up("arguments and environment are too large to be handed over (%u bytes)", launch.string_bytes);
}

/* Seconds, with decimals if need be. */
static int parse_milliseconds(const char *text, uint64_t *ms) {
  const char *at = text;
  *ms = parse_number(&at, 10) * 1000;
  if (at == text || at > text + 6) return 0;
  if (*at == '.')
    for (unsigned digit = 100; *++at >= '0' && *at <= '9'; digit /= 10) *ms += (unsigned)(*at - '0') * digit;
  return *at == 0;
}

static void read_mode(void) {
  const char *mode = environment("CRAC_RESTORE", "auto"), *timeout = environment("CRAC_RESTORE_TIMEOUT", "10");
  launch.mode = is_equal(mode, "off") ? RESTORE_OFF : is_equal(mode, "auto") ? RESTORE_AUTO : RESTORE_REQUIRE;
  if (launch.mode == RESTORE_REQUIRE && !is_equal(mode, "require"))
    give_up("CRAC_RESTORE is \"%s\", it must be auto, require or off", mode);
  if (launch.mode != RESTORE_OFF && !parse_milliseconds(timeout, &launch.timeout_ms))
    give_up("CRAC_RESTORE_TIMEOUT is \"%s\", it must be a number of seconds, 0 for no limit", timeout);
}

void read_launch(uint64_t *kernel_stack) {
  static char cold_path[4096];
  launch.argc = (uint32_t)kernel_stack[0];
  launch.argv = (char **)(kernel_stack + 1);
  launch.env = launch.argv + launch.argc + 1;
  for (char **entry = launch.env; *entry != NULL; entry++) launch.envc++, launch.string_bytes += strlen(*entry) + 1;
  for (uint32_t i = 1; i < launch.argc; i++) launch.string_bytes += strlen(launch.argv[i]) + 1;
  keep_strings();

  launch.checkpoint_dir = environment("CRAC_CHECKPOINT", "/opt/crac/checkpoint");
  launch.cold_path = environment("CRAC_COLD", "");
  launch.is_cold_path_given = *launch.cold_path != 0;
  if (!launch.is_cold_path_given) launch.cold_path = next_to(launch.checkpoint_dir, "cold", cold_path, sizeof cold_path);
  launch.vdso = environment("CRAC_VDSO", "");
  launch.is_debug = is_equal(environment("CRAC_LOG", ""), "debug");
  launch.is_recording = is_equal(environment("CRAC_RECORD", ""), "1");
  read_mode();
  launch.started_ns = read_clock_ns(0);
}
