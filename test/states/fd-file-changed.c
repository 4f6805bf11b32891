/*
 * an open file that has other bytes where it is restored
 * not restored: *settings has changed: another modification time
 * before restore: touch -d @1000000000 settings
 */
#include "state.h"

int main(void) {
  write_file("settings", "text", 4);
  need(open("settings", O_RDONLY) >= 0);
  await_restore();
}
