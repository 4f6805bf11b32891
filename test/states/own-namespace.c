/*
 * a namespace of its own
 * refused: namespaces: they are part of the state. Run the app in the namespaces of its container: do not call unshare
 */
#include <sched.h>

#include "state.h"

int main(void) {
  need(unshare(CLONE_NEWUTS) == 0);
  await_restore();
}
