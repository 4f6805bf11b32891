/*
 * generated code: a thread runs in it, more is generated, pages are made executable and not writable
 * restored: map, read
 */
#include "state.h"

/* while (*stop == 0) counter++; return 1234 */
static const unsigned char loop[] = {
    0x48, 0xff, 0x06,                   /* inc (%rsi) */
    0x83, 0x3f, 0x00,                   /* cmpl $0, (%rdi) */
    0x74, 0xf8,                         /* je loop */
    0xb8, 0xd2, 0x04, 0x00, 0x00, 0xc3, /* mov $1234, %eax; ret */
};
static volatile int stop;
static volatile uint64_t counter;

static void *run(void *code) {
  int (*function)(volatile int *, volatile uint64_t *) = (int (*)(volatile int *, volatile uint64_t *))code;
  return function(&stop, &counter) == 1234 ? code : NULL;
}

int main(void) {
  char *writable = map_pages(4, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
  char *sealed = map_pages(4, PROT_READ | PROT_WRITE, 0);
  memcpy(writable + 100, loop, sizeof loop);
  memcpy(sealed + 200, loop, sizeof loop);
  need(mprotect(sealed, 4 * PAGE, PROT_READ | PROT_EXEC) == 0);
  pthread_t first = start_thread(run, writable + 100), second = start_thread(run, sealed + 200);
  while (counter < 1000) usleep(100);
  await_restore();
  uint64_t before = counter;
  while (counter == before) usleep(100);
  memcpy(writable + 2 * PAGE, loop, sizeof loop);
  pthread_t third = start_thread(run, writable + 2 * PAGE);
  stop = 1;
  check(result_of(first) != NULL && result_of(second) != NULL && result_of(third) != NULL);
  check(strcmp(area_protection(sealed), "r-xp") == 0 && strcmp(area_protection(writable), "rwxp") == 0);
}
