/*
 * Prints the layout of plan.bin and of the mailbox as the C side sees it: test/golden/plan-format.json.
 * {"constants": {NAME: number|"0x…"}, "structs": {NAME: {"size": bytes, "fields": {FIELD: [offset, bytes]}}}}
 */
#include <stddef.h>
#include <stdio.h>

#include "../../native/mailbox.h"
#include "../../native/restore/plan.h"

static const char *separator = "";

static void begin(const char *name, size_t size) {
  printf("%s\n    \"%s\": { \"size\": %zu, \"fields\": {", separator, name, size);
  separator = "";
}
static void field(const char *name, size_t offset, size_t size) {
  printf("%s\n      \"%s\": [%zu, %zu]", separator, name, offset, size);
  separator = ",";
}
static void end(void) {
  printf("\n    } }");
  separator = ",";
}
static void number(const char *name, unsigned long long value) {
  printf("%s\n    \"%s\": ", separator, name);
  printf(value >> 32 ? "\"0x%llx\"" : "%llu", value);
  separator = ",";
}

#define FIELD(member) field(#member, offsetof(STRUCT, member), sizeof(((STRUCT *)0)->member))
#define BEGIN(name) begin(name, sizeof(STRUCT))
#define NUMBER(constant) number(#constant, constant)

int main(void) {
  printf("{\n  \"constants\": {");
  NUMBER(CRAC_PLAN_MAGIC), NUMBER(CRAC_PLAN_VERSION), NUMBER(CRAC_ARCH_X86_64);
  NUMBER(CRAC_RESTORER_BASE), NUMBER(CRAC_PLAN_BASE), NUMBER(CRAC_RESTORER_END);
  NUMBER(CRAC_MEM), NUMBER(CRAC_FILES), NUMBER(CRAC_THREADS), NUMBER(CRAC_SIGACT), NUMBER(CRAC_FDS), NUMBER(CRAC_EPOLL);
  NUMBER(CRAC_TIMES), NUMBER(CRAC_TIDFIX), NUMBER(CRAC_VDSO), NUMBER(CRAC_CPU), NUMBER(CRAC_PREFETCH);
  NUMBER(CRAC_SOCKETS), NUMBER(CRAC_SOCKOPTS), NUMBER(CRAC_BLOB), NUMBER(CRAC_SECTIONS);
  NUMBER(CRAC_MEM_ANON), NUMBER(CRAC_MEM_FILE), NUMBER(CRAC_MEM_PAGES), NUMBER(CRAC_MEM_READ), NUMBER(CRAC_MEM_ADVISE);
  NUMBER(CRAC_MEM_PROTECT);
  NUMBER(CRAC_MEM_LATER);
  NUMBER(CRAC_FD_INHERIT), NUMBER(CRAC_FD_FILE), NUMBER(CRAC_FD_DUP), NUMBER(CRAC_FD_EVENTFD), NUMBER(CRAC_FD_EPOLL);
  NUMBER(CRAC_FD_PIPE), NUMBER(CRAC_FD_TIMERFD), NUMBER(CRAC_FD_DEAD), NUMBER(CRAC_FD_SOCKET), NUMBER(CRAC_FD_UNIX_PAIR);
  NUMBER(CRAC_NONE), NUMBER(CRAC_ANY_SIZE);
  NUMBER(CRAC_NOT_DUMPABLE), NUMBER(CRAC_SUBREAPER), NUMBER(CRAC_NO_HUGE_PAGES), NUMBER(CRAC_NO_NEW_PRIVILEGES);
  NUMBER(CRAC_MEMBARRIER_SHIFT);
  NUMBER(CRAC_THREAD_HELD), NUMBER(CRAC_HOLD_MS);
  NUMBER(CRAC_MAILBOX_MAGIC), NUMBER(CRAC_MAILBOX_VERSION), NUMBER(CRAC_MAILBOX_BYTES);
  NUMBER(CRAC_WAITING), NUMBER(CRAC_RESTORED), NUMBER(CRAC_NOT_CHECKPOINTED);
  printf("\n  },\n  \"structs\": {");
  separator = "";

#define STRUCT struct crac_section
  BEGIN("crac_section"), FIELD(offset), FIELD(count), FIELD(record_size), end();
#undef STRUCT
#define STRUCT struct crac_header
  BEGIN("crac_header");
  FIELD(magic), FIELD(version), FIELD(header_size), FIELD(arch), FIELD(page_size), FIELD(file_size), FIELD(crc32);
  FIELD(flags), FIELD(map_address), FIELD(restorer_start), FIELD(restorer_end), FIELD(mem_size), FIELD(sections);
  FIELD(start_code), FIELD(end_code), FIELD(start_data), FIELD(end_data), FIELD(start_brk), FIELD(brk);
  FIELD(start_stack), FIELD(arg_start), FIELD(arg_end), FIELD(env_start), FIELD(env_end), FIELD(auxv_blob);
  FIELD(auxv_size), FIELD(vvar_start), FIELD(vvar_size), FIELD(vdso_start), FIELD(vdso_size), FIELD(vdso_blob);
  FIELD(umask), FIELD(monotonic_ns), FIELD(boottime_ns), FIELD(nano_offset), FIELD(mailbox), FIELD(mailbox_size);
  FIELD(mailbox_nonce), FIELD(cwd_blob), FIELD(scratch_fd), FIELD(nofile_soft), FIELD(nofile_hard), FIELD(needed_bytes);
  FIELD(max_heap_bytes);
  end();
#undef STRUCT
#define STRUCT struct crac_mem
  BEGIN("crac_mem"), FIELD(address), FIELD(length), FIELD(offset), FIELD(kind), FIELD(prot), FIELD(flags), FIELD(file), end();
#undef STRUCT
#define STRUCT struct crac_file
  BEGIN("crac_file"), FIELD(size), FIELD(mtime_s), FIELD(path_blob), FIELD(open_flags), FIELD(sha256), end();
#undef STRUCT
#define STRUCT struct crac_thread
  BEGIN("crac_thread"), FIELD(clear_tid), FIELD(tls), FIELD(robust_list), FIELD(robust_list_size), FIELD(rseq);
  FIELD(rseq_size), FIELD(rseq_signature), FIELD(frame), FIELD(scratch), FIELD(old_tid), FIELD(flags), FIELD(name), end();
#undef STRUCT
#define STRUCT struct crac_sigact
  BEGIN("crac_sigact"), FIELD(signal), FIELD(handler), FIELD(flags), FIELD(restorer), FIELD(mask), end();
#undef STRUCT
#define STRUCT struct crac_fd
  BEGIN("crac_fd"), FIELD(fd), FIELD(kind), FIELD(flags), FIELD(fd_flags), FIELD(a), FIELD(b), FIELD(c), FIELD(d);
  FIELD(path_blob), end();
#undef STRUCT
#define STRUCT struct crac_epoll
  BEGIN("crac_epoll"), FIELD(epoll_fd), FIELD(fd), FIELD(events), FIELD(data), end();
#undef STRUCT
#define STRUCT struct crac_time
  BEGIN("crac_time"), FIELD(address), FIELD(clock), end();
#undef STRUCT
#define STRUCT struct crac_tidfix
  BEGIN("crac_tidfix"), FIELD(address), FIELD(thread), FIELD(bits), end();
#undef STRUCT
#define STRUCT struct crac_vdso_symbol
  BEGIN("crac_vdso_symbol"), FIELD(offset), FIELD(name_blob), end();
#undef STRUCT
#define STRUCT struct crac_cpu
  BEGIN("crac_cpu"), FIELD(leaf), FIELD(subleaf), FIELD(reg), FIELD(mask), FIELD(value), FIELD(name_blob), end();
#undef STRUCT
#define STRUCT struct crac_prefetch
  BEGIN("crac_prefetch"), FIELD(offset), FIELD(length), FIELD(file), end();
#undef STRUCT
#define STRUCT struct crac_socket
  BEGIN("crac_socket"), FIELD(family), FIELD(type), FIELD(protocol), FIELD(backlog), FIELD(address_blob);
  FIELD(address_size), FIELD(folder_blob), FIELD(file_mode), FIELD(first_option), FIELD(option_count);
  FIELD(queue_blob), FIELD(packet_count), FIELD(queue_size), FIELD(shutdown), end();
#undef STRUCT
#define STRUCT struct crac_sockopt
  BEGIN("crac_sockopt"), FIELD(level), FIELD(name), FIELD(size), FIELD(value), end();
#undef STRUCT
#define STRUCT struct crac_mailbox
  BEGIN("crac_mailbox"), FIELD(magic), FIELD(version), FIELD(size), FIELD(nonce), FIELD(state), FIELD(argc), FIELD(envc);
  FIELD(data_size), FIELD(clock_delta_ns), FIELD(restore_started_ns), FIELD(restore_released_ns), FIELD(pid), FIELD(gate);
  field("data", offsetof(STRUCT, data), 0), end();
#undef STRUCT
  printf("\n  }\n}\n");
  return 0;
}
