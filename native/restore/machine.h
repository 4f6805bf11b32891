/*
 * All that the restorer knows of the processor. arch/NAME/ implements it; docs/decisions.md says what the next one needs.
 *
 * Inline, in arch/NAME/inline.h:
 *   MACHINE_PLAN_ARCH            its number in plan.bin's header
 *   MACHINE_PAGE_SIZE            the only one for which plans are made
 *   MACHINE_ADDRESS_SPACE_END    no process has memory from here on
 *   MACHINE_FRAME_BYTES          what rt_sigreturn reads at a thread's frame
 *   system_call(number, a … f)   raw: a negative errno is the failure
 *   copy_bytes, fill_bytes       as memcpy and memset
 */
#ifndef RESTORE_MACHINE_H
#define RESTORE_MACHINE_H
#include <stddef.h>
#include <stdint.h>
#if defined __x86_64__ && !defined __ILP32__
#include "arch/x86_64/inline.h"
#else
#error "native/restore/arch has no folder for this processor"
#endif

/* start.S: the kernel's entry calls this on a stack of the restorer's own; kernel_stack: argc, argv, environment. */
_Noreturn void restorer_main(uint64_t *kernel_stack);

/* start.S: clone; the child runs run(argument), which must not return, on `stack` (its top, a multiple of 16). */
long clone_thread(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls,
                  void (*run)(void *argument), void *argument);

/* start.S: rt_sigreturn on a frame of the plan, which gives mask, alternate stack and all registers. */
_Noreturn void return_to_frame(uint64_t frame);

/* thread.c: where thread-local variables are found. 0 or a negative errno. */
long set_thread_pointer(uint64_t address);

/*
 * vdso_code.c: what is written over a function of the old vdso, at most MACHINE_VDSO_PATCH_BYTES: a jump that changes no
 * register, or the system call that the function stands for (ENOSYS when it is not known) and a return.
 */
void write_jump(uint8_t *at, uint64_t target);
void write_system_call(uint8_t *at, const char *function);

/* cpu.c has check_cpu() of checks.h: what the plan's CPU section names must be there. */
#endif
