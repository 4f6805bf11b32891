/*
 * a context of kernel AIO
 * refused: memory *: it belongs to kernel AIO. Close asynchronous I/O before the checkpoint
 */
#include <linux/aio_abi.h>

#include "state.h"

int main(void) {
  aio_context_t context = 0;
  need(syscall(SYS_io_setup, 8, &context) == 0);
  await_restore();
}
