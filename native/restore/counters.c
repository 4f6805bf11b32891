#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <linux/time.h>

#include "cold.h"
#include "make_descriptor.h"
#include "syscall.h"

#define EFD_SEMAPHORE 1
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t) /* linux/timerfd.h has it since 6.5 */
#define SECOND_NS 1000000000u

long make_eventfd(const struct crac_fd *wanted) {
  long fd = checked(wanted, "an eventfd", call(eventfd2, 0, wanted->flags & (O_NONBLOCK | EFD_SEMAPHORE)));
  if (wanted->a != 0 && call(write, fd, &wanted->a, sizeof wanted->a) != sizeof wanted->a)
    give_up("the eventfd of descriptor %u does not take its count", (uint64_t)wanted->fd);
  return fd;
}

static struct __kernel_timespec timespec_of(uint64_t ns) {
  return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / SECOND_NS), .tv_nsec = (long long)(ns % SECOND_NS)};
}

long make_timerfd(const struct crac_fd *wanted) {
  long fd = checked(wanted, "a timerfd", call(timerfd_create, wanted->d, wanted->flags & O_NONBLOCK));
  struct __kernel_itimerspec times = {.it_value = timespec_of(wanted->a), .it_interval = timespec_of(wanted->b)};
  checked(wanted, "a timerfd", call(timerfd_settime, fd, 0, &times, 0));
  if (wanted->c != 0) checked(wanted, "a timerfd", call(ioctl, fd, TFD_IOC_SET_TICKS, &wanted->c));
  return fd;
}
