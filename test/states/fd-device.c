/*
 * a device with a state
 * not dumped: descriptor 3 is of a kind that cannot be dumped: *device. Close it in beforeCheckpoint.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "state.h"

int main(void) {
  need(mknod("device", S_IFBLK | 0600, makedev(7, 0)) == 0 && open("device", O_RDONLY) >= 0);
  await_restore();
}
