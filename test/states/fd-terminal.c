/*
 * a terminal
 * refused: descriptor 3 (terminal): it cannot be restored. Run the app without a terminal during the build
 */
#include "state.h"

int main(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  need(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  await_restore();
}
