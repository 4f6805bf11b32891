#define _GNU_SOURCE
#include "fake-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../../../native/mailbox.h"
#include "../../../native/restore/plan.h"

#define PAGE 4096ul
#define MOST_CALLS 2000000u /* more is a loop without an end */
#define MOST_BYTES (1ull << 32)
#define MOST_AREAS 20000
#define FIRST_ADDRESS 65536 /* vm.mmap_min_addr */
#define FRAME_BYTES 304
#define THREAD_ID 4712

/* of the restorer */
_Noreturn void restorer_main(uint64_t *kernel_stack);
uint32_t compute_crc32(const void *bytes, size_t size);
extern char __start_restore_data[], __stop_restore_data[], __start_restore_bss[], __stop_restore_bss[];
extern struct crac_header *plan;

/* Numbers that no plan can have for its own. */
enum { PLAN_FD = 0x50000000, MEM_FD, COLD_FD, MAPS_FD, CGROUP_FD, OTHER_FD };

static const struct given *given;
static struct outcome outcome;
static jmp_buf at_the_end, *in_thread;
static unsigned calls;
static struct {
  uintptr_t start, end;
} areas[MOST_AREAS];
static unsigned area_count;
static uint64_t mapped_bytes;
static size_t read_so_far;
static char maps[256];

static _Noreturn void end(enum how_it_ended how) {
  outcome.how = how;
  longjmp(at_the_end, 1);
}

/* What the kernel reads and writes for a call, so that a wrong pointer is found. */
static void look_at(const void *bytes, size_t size) {
  void *poisoned = __asan_region_is_poisoned((void *)bytes, size);
  if (poisoned != NULL) fprintf(stderr, "a system call is given %p, which is not there\n", poisoned), abort();
  for (size_t i = 0; i < size; i += PAGE) (void)*(volatile const char *)((const char *)bytes + i);
  if (size != 0) (void)*(volatile const char *)((const char *)bytes + size - 1);
}

static int is_own(uintptr_t start, uintptr_t end) {
  for (unsigned i = 0; i < area_count && start < end; i++)
    if (areas[i].start <= start && start < areas[i].end) start = areas[i].end, i = -1u;
  return start >= end;
}

/* Where nothing of this program is: that would be a fault of the test, not of the restorer. */
static long map(uintptr_t address, size_t length, int prot) {
  length = (length + PAGE - 1) & ~(PAGE - 1);
  if (mapped_bytes + length > MOST_BYTES || area_count == MOST_AREAS || length == 0) return -ENOMEM;
  if (address < FIRST_ADDRESS) return -EPERM;
  int over = is_own(address, address + length) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  void *mapped = mmap((void *)address, length, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | over, -1, 0);
  if (mapped == MAP_FAILED) return -errno;
  if ((uintptr_t)mapped != address) return munmap(mapped, length), -EEXIST;
  mapped_bytes += length;
  areas[area_count].start = address;
  areas[area_count++].end = address + length;
  return (long)address;
}

static long map_plan(uintptr_t address, size_t length) {
  long mapped = map(address, length, PROT_READ | PROT_WRITE);
  if (mapped < 0) return mapped;
  memcpy((void *)address, given->plan, given->plan_size);
  ASAN_POISON_MEMORY_REGION((char *)address + given->plan_size, -given->plan_size & (PAGE - 1));
  return mapped;
}

/* What the checkpoint would have there. */
static void fill(uintptr_t address, size_t length) {
  struct crac_mailbox head = {.magic = CRAC_MAILBOX_MAGIC, .version = CRAC_MAILBOX_VERSION, .nonce = plan->mailbox_nonce};
  if (plan->mailbox >= address && plan->mailbox + sizeof head <= address + length)
    memcpy((void *)plan->mailbox, &head, sizeof head);
}

/* Anywhere. */
static long allocate(size_t length) {
  void *place = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED || area_count == MOST_AREAS) return -ENOMEM;
  areas[area_count].start = (uintptr_t)place;
  areas[area_count++].end = ((uintptr_t)place + length + PAGE - 1) & ~(PAGE - 1);
  return (long)place;
}

static long map_area(uintptr_t address, size_t length, int prot, long fd) {
  long mapped = map(address, length, fd == -1 ? prot : prot | PROT_WRITE);
  if (mapped < 0) return mapped;
  if (fd != -1) {
    fill(address, length);
    mprotect((void *)address, length, prot);
  }
  return mapped;
}

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length >= size && strcmp(text + length - size, end) == 0;
}

static const char *last_opened;

static long open_file(const char *path) {
  look_at(path, strlen(path) + 1);
  last_opened = path;
  read_so_far = 0;
  if (ends_with(path, "/plan.bin")) return PLAN_FD;
  if (ends_with(path, "/mem.bin")) return MEM_FD;
  if (ends_with(path, "/cold")) return given->cold == NULL ? -ENOENT : COLD_FD;
  if (strcmp(path, "/proc/self/maps") == 0) return MAPS_FD;
  if (strcmp(path, "/proc/self/cgroup") == 0) return CGROUP_FD;
  if (strncmp(path, "/sys/fs/cgroup", 14) == 0) return -ENOENT;
  return OTHER_FD;
}

static long read_some(long fd, void *out, size_t size) {
  const char *content = fd == MAPS_FD ? maps : fd == CGROUP_FD ? "0::/\n" : (const char *)given->cold;
  size_t length = fd == COLD_FD ? given->cold_size : strlen(content);
  size_t left = length - read_so_far, got = size < left ? size : left;
  look_at(out, size);
  memcpy(out, content + read_so_far, got);
  read_so_far += got;
  return (long)got;
}

/* Zeroes, as the kernel puts them: an address where nothing is is an error. */
static long read_memory(void *out, size_t size) {
  uintptr_t start = (uintptr_t)out & ~(PAGE - 1);
  if (!is_own(start, (uintptr_t)out + size)) return -EFAULT;
  size_t part = size < 1 << 20 ? size : 1 << 20; /* as much as the kernel likes to give */
  struct iovec from = {calloc(1, part), part}, to = {out, part};
  long got = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
  free(from.iov_base);
  if (got > 0) fill((uintptr_t)out, (size_t)got);
  return got < 0 ? -EFAULT : got;
}

static long read_at(long fd, void *out, size_t size, uint64_t offset) {
  if (fd == PLAN_FD && plan == NULL) {
    size_t got = offset >= given->plan_size ? 0 : given->plan_size - offset;
    if (got > size) got = size;
    memcpy(out, given->plan + offset, got);
    return (long)got;
  }
  return read_memory(out, size);
}

static long read_pieces(const struct iovec *pieces, size_t count) {
  look_at(pieces, count * sizeof *pieces);
  long got = 0;
  for (size_t i = 0; i < count; i++) {
    long now = read_memory(pieces[i].iov_base, pieces[i].iov_len);
    if (now < 0) return got == 0 ? now : got;
    got += now;
    if ((size_t)now < pieces[i].iov_len) break;
  }
  return got;
}

static const void *records(enum crac_section_id id) { return (const char *)plan + plan->sections[id].offset; }

/* Files are as the plan wants them. */
static long tell_status(const char *path, long fd, struct stat *status) {
  memset(status, 0, sizeof *status);
  status->st_mode = S_IFREG | 0644;
  if (fd == PLAN_FD) status->st_size = (off_t)given->plan_size;
  if (fd == MEM_FD && given->plan_size >= sizeof *plan) status->st_size = (off_t)((const struct crac_header *)given->plan)->mem_size;
  if (fd == PLAN_FD || fd == MEM_FD || plan == NULL) return 0;
  look_at(path, strlen(path) + 1);
  const char *texts = records(CRAC_BLOB);
  const struct crac_file *files = records(CRAC_FILES);
  for (uint32_t i = plan->sections[CRAC_FILES].count; i-- > 0;)
    if (strcmp(texts + files[i].path_blob, path) == 0)
      status->st_size = (off_t)files[i].size, status->st_mtime = files[i].mtime_s;
  const struct crac_fd *fds = records(CRAC_FDS);
  for (uint32_t i = 0; i < plan->sections[CRAC_FDS].count; i++)
    if (fd == OTHER_FD && fds[i].kind == CRAC_FD_FILE && strcmp(texts + fds[i].path_blob, path) == 0)
      status->st_size = (off_t)fds[i].b;
  return 0;
}

/* A real copy: what lies there is looked at later. */
static long move(uintptr_t from, size_t size, uintptr_t to) {
  long moved = map(to, size, PROT_READ | PROT_WRITE);
  if (moved >= 0) memcpy((void *)to, (void *)from, size);
  return moved;
}

static long say(const char *line, size_t size) {
  look_at(line, size);
  if (outcome.said[0] == 0) snprintf(outcome.said, sizeof outcome.said, "%.*s", (int)size, line);
  return (long)size;
}

long next_fault(long number) {
  (void)number;
  return 0;
}

long system_call_or_fault(long number, long a, long b, long c, long d, long e, long f) {
  (void)f;
  if (++calls > MOST_CALLS) fprintf(stderr, "the restorer makes no end of system calls (now %ld)\n", number), abort();
  switch (number) {
    case SYS_open: return open_file((const char *)a);
    case SYS_openat: return open_file((const char *)b);
    case SYS_read: return read_some(a, (void *)b, (size_t)c);
    case SYS_pread64: return read_at(a, (void *)b, (size_t)c, (uint64_t)d);
    case SYS_preadv: return read_pieces((const struct iovec *)b, (size_t)c);
    case SYS_fstat: return tell_status(last_opened, a, (struct stat *)b);
    case SYS_stat: return tell_status((const char *)a, 0, (struct stat *)b);
    case SYS_newfstatat: return tell_status((const char *)b, 0, (struct stat *)c);
    case SYS_mmap:
      if (a == 0 && (d & MAP_FIXED) == 0) return allocate((size_t)b);
      return e == PLAN_FD && plan == NULL ? map_plan((uintptr_t)a, (size_t)b) : map_area((uintptr_t)a, (size_t)b, (int)c, e);
    case SYS_mprotect: return is_own((uintptr_t)a, (uintptr_t)(a + b)) ? mprotect((void *)a, (size_t)b, (int)c) : -ENOMEM;
    case SYS_mremap: return move((uintptr_t)a, (size_t)b, (uintptr_t)e);
    case SYS_munmap: /* all is unmapped at the end */
    case SYS_madvise: return 0;
    case SYS_write:
      if (a == 2) return say((const char *)b, (size_t)c);
      look_at((const void *)b, (size_t)c);
      return c;
    case SYS_chdir: look_at((const char *)a, strlen((const char *)a) + 1); return 0;
    case SYS_bind: case SYS_connect: look_at((const void *)b, (size_t)c); return 0;
    case SYS_sendto: look_at((const void *)b, (size_t)c); return c;
    case SYS_setsockopt: look_at((const void *)d, (size_t)e); return 0;
    case SYS_clock_gettime: return clock_gettime((clockid_t)a, (struct timespec *)b);
    case SYS_rt_sigaction:
      if (c != 0) memset((void *)c, 0, 32);
      return 0;
    case SYS_rt_sigprocmask:
      if (c != 0) memset((void *)c, 0, 8);
      return 0;
    case SYS_prlimit64:
      if (d != 0) ((uint64_t *)d)[0] = ((uint64_t *)d)[1] = 1 << 20;
      return 0;
    case SYS_pipe2: ((int *)a)[0] = OTHER_FD, ((int *)a)[1] = OTHER_FD + 1; return 0;
    case SYS_socketpair: ((int *)d)[0] = OTHER_FD, ((int *)d)[1] = OTHER_FD + 1; return 0;
    case SYS_dup3: return b;
    case SYS_fcntl: return b == F_DUPFD_CLOEXEC ? c : 0;
    case SYS_socket: case SYS_eventfd2: case SYS_epoll_create1: case SYS_timerfd_create: return OTHER_FD;
    case SYS_rseq: return a % 16 == 0 ? 0 : -EINVAL;
    case SYS_getpid: case SYS_set_tid_address: case SYS_gettid: return 4711;
    case SYS_futex:
      if (in_thread != NULL) longjmp(*in_thread, 1); /* it would wait for the others */
      return 0;
    case SYS_execve: end(STARTED_COLD);
    case SYS_exit_group: end(FAILED_ITSELF);
    default: return 0;
  }
}

_Noreturn void return_to_frame(uint64_t frame) {
  look_at((const void *)frame, FRAME_BYTES);
  end(RELEASED);
}

/* The thread runs at once, up to where it waits. */
long clone_thread(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls,
                  void (*run)(void *), void *argument) {
  static jmp_buf before;
  uint32_t tid = THREAD_ID;
  struct iovec from = {&tid, sizeof tid}, to = {(void *)parent_tid, sizeof tid};
  (void)flags, (void)child_tid, (void)tls;
  process_vm_writev(getpid(), &from, 1, &to, 1, 0); /* the kernel does not mind when nothing is there */
  look_at((const char *)stack - 16, 16);
  memset((char *)stack - 16, 0, 16);
  if (setjmp(before) == 0) {
    in_thread = &before;
    run(argument);
  }
  in_thread = NULL;
  return THREAD_ID;
}

/* Two pages of vvar and a vdso above them, as the kernel lays them. */
static char *place_vdso(void) {
  size_t size = (given->vdso_size + PAGE - 1) & ~(PAGE - 1);
  char *place = mmap(NULL, 2 * PAGE + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) abort();
  memcpy(place + 2 * PAGE, given->vdso, given->vdso_size);
  unsigned long vvar = (unsigned long)place, vdso = vvar + 2 * PAGE;
  snprintf(maps, sizeof maps, "1000-2000 r--p 0 00:00 0 /bin/x\n%lx-%lx r--p 0 00:00 0 [vvar]\n%lx-%lx r-xp 0 00:00 0 [vdso]\n",
           vvar, vdso, vdso, vdso + size);
  return place;
}

/* Over the gaps between variables, too, which memcpy and memset would not be let. */
static void copy_all(char *to, const char *from, size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void clear_all(char *start, char *stop) {
  size_t size = (size_t)(stop - start);
  __asm__ volatile("rep stosb" : "+D"(start), "+c"(size) : "a"(0) : "memory");
}

static void reset_restorer(void) {
  static char *data_at_start;
  size_t size = (size_t)(__stop_restore_data - __start_restore_data);
  if (data_at_start == NULL)
    copy_all(data_at_start = malloc(size), __start_restore_data, size);
  copy_all(__start_restore_data, data_at_start, size);
  char *start = (char *)(((uintptr_t)__start_restore_bss + PAGE - 1) & ~(PAGE - 1));
  char *stop = (char *)((uintptr_t)__stop_restore_bss & ~(PAGE - 1));
  clear_all(__start_restore_bss, start);
  madvise(start, (size_t)(stop - start), MADV_DONTNEED);
  clear_all(stop, __stop_restore_bss);
}

struct outcome run_restorer(const struct given *now_given) {
  static uint64_t kernel_stack[4096];
  size_t words = 0, argc = 0, ends = 0;
  given = now_given;
  memset(&outcome, 0, sizeof outcome);
  calls = area_count = 0;
  mapped_bytes = 0;
  in_thread = NULL;
  reset_restorer();
  char *vdso = place_vdso();
  for (char **string = given->strings; ends < 2; string++) {
    kernel_stack[++words] = (uint64_t)*string;
    if (*string == NULL) ends++;
    if (ends == 0) argc++;
  }
  kernel_stack[0] = argc;
  if (setjmp(at_the_end) == 0) restorer_main(kernel_stack);
  for (unsigned i = 0; i < area_count; i++) {
    ASAN_UNPOISON_MEMORY_REGION((void *)areas[i].start, areas[i].end - areas[i].start);
    munmap((void *)areas[i].start, areas[i].end - areas[i].start);
  }
  munmap(vdso, 2 * PAGE + ((given->vdso_size + PAGE - 1) & ~(PAGE - 1)));
  return outcome;
}

void seal_plan(uint8_t *bytes, size_t size) {
  struct crac_header *header = (struct crac_header *)bytes;
  if (size < sizeof *header) return;
  header->file_size = size;
  header->crc32 = 0;
  header->crc32 = compute_crc32(bytes, size);
}
