/*
 * memory protection keys
 * needs: pku
 * refused: thread * (protection-keys): it uses memory protection keys. Do not load libraries that call pkey_alloc
 */
#include "state.h"

int main(void) {
  int key = pkey_alloc(0, 0);
  need(key > 0);
  char *memory = map_pages(2, PROT_READ | PROT_WRITE, 0);
  need(pkey_mprotect(memory, PAGE, PROT_READ | PROT_WRITE, key) == 0);
  await_restore();
}
