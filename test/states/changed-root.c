/*
 * another root folder
 * refused: process: its root folder was changed (chroot). Run the app without chroot
 */
#include "state.h"

int main(void) {
  need(chroot(".") == 0 && chdir("/") == 0);
  await_restore();
}
