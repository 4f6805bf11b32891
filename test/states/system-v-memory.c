/*
 * System V shared memory
 * not dumped: the app uses SysV shared memory. Detach it before the checkpoint.
 */
#include <sys/ipc.h>
#include <sys/shm.h>

#include "state.h"

int main(void) {
  int id = shmget(IPC_PRIVATE, PAGE, 0600 | IPC_CREAT);
  need(id >= 0);
  void *memory = shmat(id, NULL, 0);
  need(memory != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
  await_restore();
}
