/*
 * a BPF program
 * not dumped: descriptor 3 belongs to a profiler or tracer (bpf-prog). Stop it before the checkpoint, or leave it out of the build.
 */
#include <linux/bpf.h>

#include "state.h"

int main(void) {
  struct bpf_insn program[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  union bpf_attr wanted = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uintptr_t)program, .license = (uintptr_t) "GPL"};
  need(syscall(SYS_bpf, BPF_PROG_LOAD, &wanted, sizeof wanted) >= 0);
  await_restore();
}
