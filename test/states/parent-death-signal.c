/*
 * a signal for when the parent ends
 * refused: thread * (parent-death-si): it has a parent-death signal. Do not set PR_SET_PDEATHSIG in the app
 */
#include <signal.h>
#include <sys/prctl.h>

#include "state.h"

int main(void) {
  need(prctl(PR_SET_PDEATHSIG, SIGHUP) == 0);
  await_restore();
}
