/*
 * System.nanoTime() must go on from where it stopped, though CLOCK_MONOTONIC is another one after a restore. All of
 * HotSpot's uses (the intrinsic in compiled code too) end in os::javaTimeNanos(), which is not exported; the exported
 * JVM_NanoTime() tail-jumps to it. Its beginning is overwritten with a jump to crac_nano_time(). Deadlines given to the kernel
 * are computed with clock_gettime() and stay untouched (the restorer moves those that are pending).
 */
#define _GNU_SOURCE
#include "agent.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

CRAC_OLD_SYMBOL(dladdr);

volatile int64_t crac_nano_offset;

#define SECOND_NS 1000000000LL
#define HOUR_NS (3600 * SECOND_NS)

int64_t crac_nano_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * SECOND_NS + now.tv_nsec + crac_nano_offset;
}

#if defined(__x86_64__)
/* movabs $target, %rax; jmp *%rax */
#define JUMP_BYTES 12
static void write_jump(uint8_t *at, uint64_t target) {
  at[0] = 0x48, at[1] = 0xb8;
  memcpy(at + 2, &target, 8);
  at[10] = 0xff, at[11] = 0xe0;
}

/* A function's beginning, no return in the bytes that are overwritten, and a call (clock_gettime) soon after. */
static bool looks_like_java_time_nanos(const uint8_t *code) {
  static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  int at = memcmp(code, endbr64, 4) == 0 ? 4 : 0;
  bool prologue = code[at] == 0x55 || (code[at] == 0x48 && (code[at + 1] == 0x83 || code[at + 1] == 0x81)) || code[at] == 0xbf;
  bool calls = false;
  for (at = 0; at < 64 && !calls; at++)
    calls = code[at] == 0xe8 || (code[at] == 0xff && code[at + 1] == 0x15);
  return prologue && calls && at >= JUMP_BYTES && memchr(code, 0xc3, JUMP_BYTES) == NULL;
}
/* JVM_NanoTime looks at a flag and then jumps: the first `jmp rel32` to such a function inside the same library is it. */
static uint8_t *find_java_time_nanos(const uint8_t *code) {
  Dl_info own, other;
  if (!dladdr((void *)code, &own))
    return NULL;
  for (int at = 0; at < 40; at++) {
    int32_t distance;
    memcpy(&distance, code + at + 1, 4);
    uint8_t *target = (uint8_t *)code + at + 5 + distance;
    if (code[at] == 0xe9 && dladdr(target, &other) && other.dli_fbase == own.dli_fbase && looks_like_java_time_nanos(target))
      return target;
  }
  return NULL;
}
#else
#define JUMP_BYTES 0
static void write_jump(uint8_t *at, uint64_t target) { (void)at, (void)target; }
static uint8_t *find_java_time_nanos(const uint8_t *code) { return (void)code, NULL; }
#endif

/* Returns NULL, or the sentence with which checkpoints will be refused. */
const char *crac_redirect_nano_time(JNIEnv *env) {
  jlong (*jvm_nano_time)(JNIEnv *, jclass) = (jlong(*)(JNIEnv *, jclass))crac_jvm_symbol("JVM_NanoTime");
  uint8_t *target = jvm_nano_time ? find_java_time_nanos((const uint8_t *)jvm_nano_time) : NULL;
  if (!target)
    return "System.nanoTime() of this JVM is not built as expected and cannot be made to go on after a restore";

  uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  uint8_t *page = (uint8_t *)((uintptr_t)target & ~(page_size - 1));
  size_t length = (size_t)(target + JUMP_BYTES - page);
  if (mprotect(page, length, PROT_READ | PROT_WRITE))
    return "System.nanoTime() cannot be made to go on after a restore: the system does not let code be changed";
  write_jump(target, (uint64_t)(uintptr_t)crac_nano_time);
  if (mprotect(page, length, PROT_READ | PROT_EXEC)) {
    crac_warn("libjvm.so cannot be made executable again");
    return "System.nanoTime() cannot be made to go on after a restore";
  }

  int64_t before = jvm_nano_time(env, NULL);
  crac_nano_offset = HOUR_NS;
  int64_t moved = jvm_nano_time(env, NULL) - before;
  crac_nano_offset = 0;
  if (moved < HOUR_NS || moved > HOUR_NS + 10 * SECOND_NS)
    return "System.nanoTime() of this JVM does not follow the agent's clock";
  return NULL;
}
