/*
 * a child process
 * refused: child process * (child-process): only one process can be restored. End child processes in beforeCheckpoint and start them again in afterRestore
 */
#include "state.h"

int main(void) {
  pid_t child = fork();
  need(child >= 0);
  if (child == 0) pause();
  await_restore();
}
