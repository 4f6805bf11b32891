#include "machine.h"
#include "text.h"

#define UNKNOWN_CALL ~0u

static const struct {
  const char *function;
  uint32_t number;
} system_calls[] = {
    {"clock_gettime", __NR_clock_gettime}, {"gettimeofday", __NR_gettimeofday}, {"time", __NR_time},
    {"getcpu", __NR_getcpu},               {"clock_getres", __NR_clock_getres}, {"getrandom", __NR_getrandom},
};

void write_jump(uint8_t *at, uint64_t target) {
  static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip), then the address */
  memcpy(at, jump, sizeof jump);
  memcpy(at + sizeof jump, &target, sizeof target);
}

void write_system_call(uint8_t *at, const char *function) {
  static const uint8_t syscall_and_return[3] = {0x0f, 0x05, 0xc3};
  uint32_t number = UNKNOWN_CALL;
  const char *plain = after_prefix(function, "__vdso_");
  for (size_t i = 0; i < sizeof system_calls / sizeof system_calls[0]; i++)
    if (is_equal(plain == NULL ? function : plain, system_calls[i].function)) number = system_calls[i].number;
  at[0] = 0xb8; /* mov $number, %eax */
  memcpy(at + 1, &number, sizeof number);
  memcpy(at + 5, syscall_and_return, sizeof syscall_and_return);
}
