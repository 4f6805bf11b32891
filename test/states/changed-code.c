/*
 * code of the program, made writable and changed
 * restored: map, read
 */
#include "state.h"

__attribute__((noinline, aligned(4096))) static int answer(void) {
  int value;
  __asm__ volatile("mov $41, %0" : "=a"(value));
  return value;
}

int main(void) {
  unsigned char *code = (void *)answer;
  need(mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
  for (int i = 0; i < 32; i++)
    if (code[i] == 0xb8 && code[i + 1] == 41) code[i + 1] = 42;
  need(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0 && answer() == 42);
  await_restore();
  check_equal(answer(), 42);
  check(strcmp(area_protection(code), "r-xp") == 0);
}
