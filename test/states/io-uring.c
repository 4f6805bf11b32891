/*
 * a ring of io_uring
 * not dumped: the app uses io_uring, of which nothing can be dumped. Have the library use epoll (*), or close the ring in beforeCheckpoint.
 */
#include <linux/io_uring.h>

#include "state.h"

int main(void) {
  struct io_uring_params parameters = {0};
  int fd = syscall(SYS_io_uring_setup, 4, &parameters);
  need(fd >= 0);
  need(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING) != MAP_FAILED);
  await_restore();
}
