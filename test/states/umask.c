/*
 * file mode creation mask
 * restored: map
 */
#include <sys/stat.h>

#include "state.h"

int main(void) {
  umask(0137);
  await_restore();
  check_equal(umask(0), 0137);
}
