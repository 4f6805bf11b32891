#include <asm/prctl.h>

#include "syscall.h"

long set_thread_pointer(uint64_t address) { return call(arch_prctl, ARCH_SET_FS, address); }
