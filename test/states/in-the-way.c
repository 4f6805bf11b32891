/*
 * memory where the restorer will lie
 * refused: memory 200020000000-200020001000: it lies where the restorer lies. Take the checkpoint again; do not map memory at fixed addresses there
 */
#include "state.h"

int main(void) {
  need(mmap((void *)0x200020000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
  await_restore();
}
