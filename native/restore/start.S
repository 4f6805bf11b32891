/* Entry, and the three places where a stack pointer changes hands. */

    .bss
    .balign 64
own_stack:
    .skip 65536
own_stack_top:

    .text
    .globl _start
_start:
    xorl %ebp, %ebp
    movq %rsp, %rdi                 /* the kernel's argc, argv, envp: gone once everything is unmapped */
    leaq own_stack_top(%rip), %rsp
    call restorer_main
    ud2

/* long clone_thread(flags, stack, parent_tid, child_tid, tls, thread): the child goes on in resume_thread(thread). */
    .globl clone_thread
    .hidden clone_thread
clone_thread:
    movq %rcx, %r10
    movl $56, %eax
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:  xorl %ebp, %ebp
    movq %r9, %rdi                  /* the kernel leaves r9 alone */
    call resume_thread
    ud2

/* _Noreturn return_to_frame(ucontext): rt_sigreturn takes mask, alternate stack and all registers from there. */
    .globl return_to_frame
    .hidden return_to_frame
return_to_frame:
    movq %rdi, %rsp
    movl $15, %eax
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
