/*
 * a nice value
 * refused: thread * (nice): its scheduling was changed. Start the app without nice, chrt or -XX:ThreadPriorityPolicy=1
 */
#include "state.h"

int main(void) {
  need(nice(3) == 3);
  await_restore();
}
