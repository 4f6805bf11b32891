/*
 * shared memory without a file
 * refused: memory *: it is shared memory without a file. Use private memory, or unmap it in beforeCheckpoint
 */
#include "state.h"

int main(void) {
  char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  need(memory != MAP_FAILED);
  memory[0] = 1;
  await_restore();
}
