/*
 * a thread with a GS base
 * refused: thread * (gs-base): it uses the GS base. Do not load libraries that set the GS base
 */
#include <asm/prctl.h>

#include "state.h"

int main(void) {
  need(syscall(SYS_arch_prctl, ARCH_SET_GS, map_pages(1, PROT_READ, 0)) == 0);
  await_restore();
}
