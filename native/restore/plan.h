/*
 * plan.bin: what the restorer executes. Little endian, x86-64 sizes, no pointers but addresses of the restored process.
 *
 *   header | MEM | FILES | THREADS | SIGACT | FDS | EPOLL | TIMES | TIDFIX | VDSO | CPU | PREFETCH | SOCKETS |
 *   SOCKOPTS | BLOB
 *
 * Every section starts at a multiple of 64 and holds records of one fixed size. "blob offsets" count from the start of
 * the BLOB section; strings there end with NUL. src/restore-plan/format.ts writes what is read here, and both are held
 * to test/golden/plan-format.json.
 */
#ifndef CRAC_PLAN_H
#define CRAC_PLAN_H
#include <stdint.h>

#define CRAC_PLAN_MAGIC 0x4e414c5043415243ULL /* "CRACPLAN" */
#define CRAC_PLAN_VERSION 2u
#define CRAC_ARCH_X86_64 62u

/* Where the static restorer is linked, and the range that it and the plan may use: the compile step refuses overlap. */
#define CRAC_RESTORER_BASE 0x200000000000ULL
#define CRAC_PLAN_BASE 0x200010000000ULL
#define CRAC_RESTORER_END 0x200040000000ULL

enum crac_section_id {
  CRAC_MEM,
  CRAC_FILES,
  CRAC_THREADS,
  CRAC_SIGACT,
  CRAC_FDS,
  CRAC_EPOLL,
  CRAC_TIMES,
  CRAC_TIDFIX,
  CRAC_VDSO,
  CRAC_CPU,
  CRAC_PREFETCH,
  CRAC_SOCKETS,
  CRAC_SOCKOPTS,
  CRAC_BLOB,
  CRAC_SECTIONS
};

struct crac_section {
  uint32_t offset;      /* from the start of the file, multiple of 64 */
  uint32_t count;       /* records; bytes for BLOB */
  uint32_t record_size; /* 1 for BLOB */
  uint32_t reserved;
};

struct crac_header {
  uint64_t magic;
  uint32_t version;
  uint32_t header_size; /* sizeof(struct crac_header) */
  uint32_t arch;
  uint32_t page_size;
  uint64_t file_size; /* of plan.bin */
  uint32_t crc32;     /* CRC-32 (IEEE 802.3, as zlib) of the whole file with this field 0 */
  uint32_t flags;     /* below */
  uint64_t map_address; /* the plan is mapped here, private and writable: sigframes and scratch stacks live in it */
  uint64_t restorer_start, restorer_end;
  uint64_t mem_size; /* of mem.bin */
  struct crac_section sections[CRAC_SECTIONS];

  /* prctl_mm_map, in the kernel's order without auxv and exe_fd */
  uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
  uint64_t arg_start, arg_end, env_start, env_end;
  uint32_t auxv_blob, auxv_size;

  uint64_t vvar_start, vvar_size; /* all [vvar…] areas together, directly below the vdso */
  uint64_t vdso_start, vdso_size;
  uint32_t vdso_blob; /* the old vdso's bytes, vdso_size of them */
  uint32_t umask;

  int64_t monotonic_ns; /* clocks at the dump */
  int64_t boottime_ns;

  uint64_t nano_offset; /* address of an int64_t that is added to System.nanoTime(): the restorer subtracts the clock delta; 0: none */
  uint64_t mailbox;     /* address of struct crac_mailbox (mailbox.h); 0: none */
  uint64_t mailbox_size;
  uint64_t mailbox_nonce;

  uint32_t cwd_blob;
  uint32_t scratch_fd; /* all file descriptors of the process are below this one */
  uint64_t nofile_soft, nofile_hard;
  uint64_t needed_bytes; /* memory the process needs at once: anonymous and private pages that are written early */
  uint64_t max_heap_bytes; /* to what the Java heap may grow; 0: not known */
};

/* header.flags: what prctl had set, and from bit 16 what was registered with membarrier: its MEMBARRIER_CMD_REGISTER_ bits */
#define CRAC_NOT_DUMPABLE 1u
#define CRAC_SUBREAPER 2u
#define CRAC_NO_HUGE_PAGES 4u
#define CRAC_NO_NEW_PRIVILEGES 8u
#define CRAC_MEMBARRIER_SHIFT 16

/* MEM, executed in order. Addresses and lengths are multiples of the page size (READ: any). */
enum crac_mem_kind {
  CRAC_MEM_ANON = 1,    /* mmap(address, length, prot, flags | MAP_FIXED, -1, 0); flags come complete */
  CRAC_MEM_FILE = 2,    /* mmap of FILES[file] at offset */
  CRAC_MEM_PAGES = 3,   /* mmap of mem.bin at offset, private */
  CRAC_MEM_READ = 4,    /* read [offset, offset+length) of mem.bin to address */
  CRAC_MEM_ADVISE = 5,  /* madvise(address, length, flags); failure is ignored */
  CRAC_MEM_PROTECT = 6, /* mprotect(address, length, prot) */
  CRAC_MEM_LATER = 7,   /* MADV_POPULATE_WRITE, by a thread beside the app's; after all others */
};
struct crac_mem {
  uint64_t address, length, offset;
  uint32_t kind, prot, flags, file; /* file: index into FILES, 0xffffffff none */
};

struct crac_file {
  uint64_t size;
  int64_t mtime_s; /* seconds */
  uint32_t path_blob, open_flags;
  uint8_t sha256[32]; /* zero when not taken; checked by compile and verify, not by the restorer */
};

/* Goes on only when the app's runtime has opened the mailbox's gate, or after CRAC_HOLD_MS. */
#define CRAC_THREAD_HELD 1u
#define CRAC_HOLD_MS 250
struct crac_thread { /* the first record is the main thread */
  uint64_t clear_tid, tls, robust_list, robust_list_size;
  uint64_t rseq;
  uint32_t rseq_size, rseq_signature;
  uint64_t frame;   /* address (inside the plan) of the struct rt_sigframe's ucontext: the stack pointer at rt_sigreturn */
  uint64_t scratch; /* top of a 4096-byte scratch stack inside the plan, 16-byte aligned */
  uint32_t old_tid, flags;
  char name[16];
};

struct crac_sigact { /* the kernel's sigaction */
  uint32_t signal, reserved;
  uint64_t handler, flags, restorer, mask;
};

#define CRAC_NONE 0xffffffffu /* no descriptor, no backlog */

#define CRAC_ANY_SIZE ~0ULL /* of a file that each container gets from its engine */
enum crac_fd_kind {
  CRAC_FD_INHERIT = 1,  /* 0, 1, 2: what the container gives */
  CRAC_FD_FILE = 2,     /* open(path_blob, flags, c), lseek to a; b: size at the checkpoint, which a file that is only read
                           must have, and one that is read and written at least; also /dev/null and directories */
  CRAC_FD_DUP = 3,      /* the same description as descriptor a, which is an earlier record */
  CRAC_FD_EVENTFD = 4,  /* counter a, flags as for eventfd2 */
  CRAC_FD_EPOLL = 5,    /* flags as for epoll_create1 */
  CRAC_FD_PIPE = 6,     /* fd: read end, a: write end, either CRAC_NONE: closed; b: blob offset of the bytes inside, c: their
                           number, d: write end's file flags in the low, its fd flags in the high 32 bits, path_blob:
                           capacity in bytes (0 default) */
  CRAC_FD_TIMERFD = 7,  /* a: ns until it expires (0 disarmed), b: interval in ns, c: expirations not read yet, d: clock */
  CRAC_FD_DEAD = 8,     /* a stream socket whose peer has gone: reads end of file, writes EPIPE */
  CRAC_FD_SOCKET = 9,   /* a: index into SOCKETS */
  CRAC_FD_UNIX_PAIR = 10, /* a: the other end's descriptor, or CRAC_NONE: closed; b: index into SOCKETS, c: the other end's,
                             d as for PIPE */
};
struct crac_fd {
  uint32_t fd, kind;
  uint32_t flags;    /* file status flags (O_APPEND, O_NONBLOCK, access mode) */
  uint32_t fd_flags; /* FD_CLOEXEC */
  uint64_t a, b, c, d;
  uint32_t path_blob, reserved;
};

struct crac_epoll { /* after all descriptors exist */
  uint32_t epoll_fd, fd, events, reserved;
  uint64_t data;
};

struct crac_time { /* a struct timespec in the process, moved by how much its clock differs from the dump's */
  uint64_t address;
  uint32_t clock, reserved; /* CLOCK_MONOTONIC or CLOCK_BOOTTIME */
};

struct crac_tidfix { /* an int32_t in the process that holds a thread's id */
  uint64_t address;
  uint32_t thread; /* index into THREADS */
  uint32_t bits;   /* set beside the id, as FUTEX_WAITERS is in a lock */
};

struct crac_vdso_symbol {
  uint64_t offset; /* in the old vdso */
  uint32_t name_blob, reserved;
};

struct crac_cpu { /* cpuid(leaf, subleaf)[register: 0 eax … 3 edx] & mask must be value; leaf 0xffffff00: xgetbv(0) */
  uint32_t leaf, subleaf, reg, mask, value, name_blob;
};

/* What the first answer needed of a file: read ahead, in this order, when it does not lie in the page cache. */
struct crac_prefetch {
  uint64_t offset, length; /* bytes, multiples of the page size */
  uint32_t file, reserved; /* index into FILES, 0xffffffff: mem.bin */
};

struct crac_socket {
  uint32_t family, type, protocol;
  uint32_t backlog;                    /* CRAC_NONE: it does not listen */
  uint32_t address_blob, address_size; /* sockaddr that it is bound to; size 0: to none. The file of a unix path is made anew */
  uint32_t folder_blob;                /* the folder in which a relative unix path lies */
  uint32_t file_mode;                  /* of the unix path's file: permission bits */
  uint32_t first_option, option_count; /* SOCKOPTS, set before it is bound */
  uint32_t queue_blob, packet_count;   /* UNIX_PAIR: what waits to be read here, packet_count times { u32 size, bytes } */
  uint32_t queue_size;                 /* bytes at queue_blob */
  uint32_t shutdown;                   /* UNIX_PAIR: 1 for reading, 2 for writing, 3 for both */
};

struct crac_sockopt { /* setsockopt(level, name, value, size) */
  uint32_t level, name, size, reserved;
  uint8_t value[16];
};
#endif
