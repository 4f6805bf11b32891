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

/* The kernel takes the fourth argument in r10; what the child is to run lies on its stack. */
    .globl clone_thread
    .hidden clone_thread
clone_thread:
    movq %rcx, %r10
    movq 8(%rsp), %rax
    subq $16, %rsi
    movq %r9, (%rsi)                /* run */
    movq %rax, 8(%rsi)              /* argument */
    movl $56, %eax
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:  xorl %ebp, %ebp
    popq %rax
    popq %rdi
    call *%rax
    ud2

    .globl return_to_frame
    .hidden return_to_frame
return_to_frame:
    movq %rdi, %rsp
    movl $15, %eax
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
