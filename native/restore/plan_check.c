/*
 * The checksum says that plan.bin is as it was written; this says that what was written makes sense, so that no later
 * step follows an index, an offset or an address to where nothing is. src/restore-plan/check-plan.ts has the same rules.
 */
#include "plan_check.h"

#include <linux/mman.h>

#include "cold.h"
#include "machine.h"
#include "mailbox.h"
#include "plan_file.h"
#include "text.h"

#define NONE 0xffffffffu /* an end of a pair that the process does not have; of PREFETCH: mem.bin */
#define LAST_SCRATCH_FD 0x3fffffffu
#define SCRATCH_STACK 4096u
#define TIMESPEC 16u
#define RSEQ_HEAD 8u /* cpu_id_start and cpu_id, which the restorer may have to write */
#define SOCKADDR_MIN 2u
#define SOCKADDR_MAX 128u
#define CLOCK_MAX_NS (1LL << 62) /* 146 years; the difference to any clock of today is no overflow */

static _Noreturn void refuse(const char *section, uint32_t index, const char *what) {
  give_up("plan.bin is damaged (%s %u: %s)", section, (uint64_t)index, what);
}

static int is_within(uint64_t offset, uint64_t size, uint64_t limit) { return offset <= limit && size <= limit - offset; }

static uint64_t blob_size(void) { return plan->sections[CRAC_BLOB].count; }

static int is_text(uint32_t offset) {
  for (uint64_t at = offset; at < blob_size(); at++)
    if (*plan_blob(at) == 0) return 1;
  return 0;
}

static int is_path(uint32_t offset) { return is_text(offset) && *plan_blob(offset) != 0; }

static int is_in_plan(uint64_t address, uint64_t size) {
  uint64_t blob = (uint64_t)plan_blob(0);
  return address >= blob && is_within(address - blob, size, blob_size());
}

static int overlaps(uint64_t start, uint64_t length, uint64_t from, uint64_t to) {
  return length != 0 && start < to && start + length > from;
}

static int is_placeable(uint64_t start, uint64_t length) {
  return start % MACHINE_PAGE_SIZE == 0 && length % MACHINE_PAGE_SIZE == 0 && is_within(start, length, MACHINE_ADDRESS_SPACE_END) &&
         !overlaps(start, length, CRAC_RESTORER_BASE, CRAC_RESTORER_END);
}

static int is_mapping(uint32_t kind) {
  return kind == CRAC_MEM_ANON || kind == CRAC_MEM_FILE || kind == CRAC_MEM_PAGES;
}

/* Addresses that are covered by the same records of MEM, of which the last one counts. */
struct stretch {
  uint64_t start, end;
  int is_writable;
};

static struct stretch find_stretch(uint64_t address) {
  struct stretch found = {0, MACHINE_ADDRESS_SPACE_END, 0};
  const struct crac_mem *area = plan_records(CRAC_MEM), *end = area + plan_count(CRAC_MEM);
  for (; area < end; area++) {
    uint64_t start = area->address, stop = start + area->length;
    if (!is_mapping(area->kind) && area->kind != CRAC_MEM_PROTECT) continue;
    if (start > address) {
      if (start < found.end) found.end = start;
    } else if (stop <= address) {
      if (stop > found.start) found.start = stop;
    } else {
      if (start > found.start) found.start = start;
      if (stop < found.end) found.end = stop;
      found.is_writable = (area->prot & PROT_WRITE) != 0;
    }
  }
  return found;
}

/* Whether [address, address + size) can be written once MEM has been executed. What is asked for lies together, mostly. */
static int is_writable(uint64_t address, uint64_t size) {
  static struct stretch last;
  if (!is_within(address, size, MACHINE_ADDRESS_SPACE_END)) return 0;
  for (uint64_t at = address; at < address + size; at = last.end) {
    if (at < last.start || at >= last.end) last = find_stretch(at);
    if (!last.is_writable) return 0;
  }
  return 1;
}

static void check_header(void) {
  if (plan->scratch_fd < 3 || plan->scratch_fd > LAST_SCRATCH_FD) refuse("header", 0, "scratch_fd");
  if (plan->monotonic_ns < -CLOCK_MAX_NS || plan->monotonic_ns > CLOCK_MAX_NS) refuse("header", 0, "monotonic_ns");
  if (plan->boottime_ns < -CLOCK_MAX_NS || plan->boottime_ns > CLOCK_MAX_NS) refuse("header", 0, "boottime_ns");
  if (!is_path(plan->cwd_blob)) refuse("header", 0, "cwd_blob");
  if (!is_within(plan->auxv_blob, plan->auxv_size, blob_size())) refuse("header", 0, "auxv_blob");
  if (!is_within(plan->vdso_blob, plan->vdso_size, blob_size())) refuse("header", 0, "vdso_blob");
  if (!is_placeable(plan->vdso_start, plan->vdso_size)) refuse("header", 0, "vdso_start");
  if (!is_placeable(plan->vvar_start, plan->vvar_size)) refuse("header", 0, "vvar_start");
}

/* What the restorer writes to in the restored memory on its own account. */
static void check_header_addresses(void) {
  if (plan->nano_offset != 0 && !is_writable(plan->nano_offset, sizeof(int64_t))) refuse("header", 0, "nano_offset");
  if (plan->mailbox == 0) return;
  if (plan->mailbox_size < sizeof(struct crac_mailbox) || !is_writable(plan->mailbox, plan->mailbox_size))
    refuse("header", 0, "mailbox");
}

static void check_kinds(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM);
  for (uint32_t i = 0; i < plan_count(CRAC_MEM); i++)
    if (areas[i].kind < CRAC_MEM_ANON || areas[i].kind > CRAC_MEM_LATER)
      give_up("plan.bin has an unknown kind of memory (%u)", (uint64_t)areas[i].kind);
  if (plan_count(CRAC_THREADS) == 0) give_up("plan.bin has no thread");
}

static void check_memory(void) {
  const struct crac_mem *areas = plan_records(CRAC_MEM);
  for (uint32_t i = 0; i < plan_count(CRAC_MEM); i++) {
    const struct crac_mem *area = &areas[i];
    int is_read = area->kind == CRAC_MEM_READ, is_of_mem = is_read || area->kind == CRAC_MEM_PAGES;
    if (area->length == 0 || !is_within(area->address, area->length, MACHINE_ADDRESS_SPACE_END)) refuse("MEM", i, "length");
    if (overlaps(area->address, area->length, CRAC_RESTORER_BASE, CRAC_RESTORER_END))
      refuse("MEM", i, "where the restorer lies");
    if (!is_read && (area->address % MACHINE_PAGE_SIZE != 0 || area->length % MACHINE_PAGE_SIZE != 0)) refuse("MEM", i, "not whole pages");
    if (is_mapping(area->kind) && area->offset % MACHINE_PAGE_SIZE != 0) refuse("MEM", i, "offset");
    if (is_of_mem && !is_within(area->offset, area->length, plan->mem_size)) refuse("MEM", i, "outside mem.bin");
    if (area->kind == CRAC_MEM_FILE && area->file >= plan_count(CRAC_FILES)) refuse("MEM", i, "file");
    if (overlaps(area->address, area->length, plan->vdso_start, plan->vdso_start + plan->vdso_size))
      refuse("MEM", i, "where the vdso lies");
  }
}

static void check_file_records(void) {
  const struct crac_file *files = plan_records(CRAC_FILES);
  for (uint32_t i = 0; i < plan_count(CRAC_FILES); i++)
    if (!is_path(files[i].path_blob)) refuse("FILES", i, "path_blob");
}

static void check_threads(void) {
  const struct crac_thread *threads = plan_records(CRAC_THREADS);
  for (uint32_t i = 0; i < plan_count(CRAC_THREADS); i++) {
    const struct crac_thread *thread = &threads[i];
    if (!is_in_plan(thread->frame, MACHINE_FRAME_BYTES)) refuse("THREADS", i, "frame");
    if (thread->scratch % 16 != 0 || !is_in_plan(thread->scratch - SCRATCH_STACK, SCRATCH_STACK))
      refuse("THREADS", i, "scratch");
    if (thread->clear_tid != 0 && !is_writable(thread->clear_tid, sizeof(uint32_t))) refuse("THREADS", i, "clear_tid");
    if (thread->rseq != 0 && !is_writable(thread->rseq, RSEQ_HEAD)) refuse("THREADS", i, "rseq");
  }
}

static void check_signals(void) {
  const struct crac_sigact *actions = plan_records(CRAC_SIGACT);
  for (uint32_t i = 0; i < plan_count(CRAC_SIGACT); i++)
    if (actions[i].signal < 1 || actions[i].signal > 64) refuse("SIGACT", i, "signal");
}

static int is_descriptor(uint64_t fd) { return fd < plan->scratch_fd; }

/* What a, b, c and path_blob mean depends on the kind. A kind that is not known here is refused when it is made. */
static void check_descriptor(const struct crac_fd *fd, uint32_t i) {
  int is_pair = fd->kind == CRAC_FD_PIPE || fd->kind == CRAC_FD_UNIX_PAIR;
  if (!is_descriptor(fd->fd) && !(is_pair && fd->fd == NONE)) refuse("FDS", i, "fd");
  if (is_pair && !is_descriptor(fd->a) && fd->a != NONE) refuse("FDS", i, "other end");
  switch (fd->kind) {
    case CRAC_FD_FILE:
      if (!is_path(fd->path_blob)) refuse("FDS", i, "path_blob");
      break;
    case CRAC_FD_DUP:
      if (!is_descriptor(fd->a)) refuse("FDS", i, "original");
      break;
    case CRAC_FD_PIPE:
      if (!is_within(fd->b, fd->c, blob_size())) refuse("FDS", i, "bytes inside");
      break;
    case CRAC_FD_SOCKET:
      if (fd->a >= plan_count(CRAC_SOCKETS)) refuse("FDS", i, "socket");
      if (!is_text(fd->path_blob)) refuse("FDS", i, "path_blob");
      break;
    case CRAC_FD_UNIX_PAIR:
      if (fd->b >= plan_count(CRAC_SOCKETS) || fd->c >= plan_count(CRAC_SOCKETS)) refuse("FDS", i, "socket");
      break;
  }
}

static void check_descriptors(void) {
  const struct crac_fd *fds = plan_records(CRAC_FDS);
  for (uint32_t i = 0; i < plan_count(CRAC_FDS); i++) check_descriptor(&fds[i], i);
  const struct crac_epoll *targets = plan_records(CRAC_EPOLL);
  for (uint32_t i = 0; i < plan_count(CRAC_EPOLL); i++)
    if (!is_descriptor(targets[i].epoll_fd) || !is_descriptor(targets[i].fd)) refuse("EPOLL", i, "descriptor");
}

/* packet_count times { u32 size, bytes } */
static int is_queue(const struct crac_socket *socket) {
  if (!is_within(socket->queue_blob, socket->queue_size, blob_size())) return 0;
  uint64_t at = 0;
  for (uint32_t i = 0; i < socket->packet_count; i++) {
    uint32_t size;
    if (!is_within(at, sizeof size, socket->queue_size)) return 0;
    memcpy(&size, plan_blob(socket->queue_blob + at), sizeof size);
    at += sizeof size;
    if (!is_within(at, size, socket->queue_size)) return 0;
    at += size;
  }
  return 1;
}

static void check_sockets(void) {
  const struct crac_socket *sockets = plan_records(CRAC_SOCKETS);
  for (uint32_t i = 0; i < plan_count(CRAC_SOCKETS); i++) {
    const struct crac_socket *socket = &sockets[i];
    uint32_t size = socket->address_size;
    /* A NUL follows the address, so that a unix path ends. */
    if (size != 0 && (size < SOCKADDR_MIN || size > SOCKADDR_MAX ||
                      !is_within(socket->address_blob, size + 1, blob_size()) || plan_blob(socket->address_blob)[size] != 0))
      refuse("SOCKETS", i, "address");
    if (socket->file_mode > 0777) refuse("SOCKETS", i, "file_mode");
    if (socket->folder_blob != 0 && !is_path(socket->folder_blob)) refuse("SOCKETS", i, "folder_blob");
    if (!is_within(socket->first_option, socket->option_count, plan_count(CRAC_SOCKOPTS)))
      refuse("SOCKETS", i, "options");
    if (!is_queue(socket)) refuse("SOCKETS", i, "queue");
  }
  const struct crac_sockopt *options = plan_records(CRAC_SOCKOPTS);
  for (uint32_t i = 0; i < plan_count(CRAC_SOCKOPTS); i++)
    if (options[i].size > sizeof options[i].value) refuse("SOCKOPTS", i, "size");
}

static void check_written_addresses(void) {
  const struct crac_time *times = plan_records(CRAC_TIMES);
  for (uint32_t i = 0; i < plan_count(CRAC_TIMES); i++)
    if (!is_writable(times[i].address, TIMESPEC)) refuse("TIMES", i, "address");
  const struct crac_tidfix *fixes = plan_records(CRAC_TIDFIX);
  for (uint32_t i = 0; i < plan_count(CRAC_TIDFIX); i++) {
    if (fixes[i].thread >= plan_count(CRAC_THREADS)) refuse("TIDFIX", i, "thread");
    if (!is_writable(fixes[i].address, sizeof(uint32_t))) refuse("TIDFIX", i, "address");
  }
}

static void check_read_ahead(void) {
  const struct crac_prefetch *parts = plan_records(CRAC_PREFETCH);
  for (uint32_t i = 0; i < plan_count(CRAC_PREFETCH); i++)
    if (parts[i].file != NONE && parts[i].file >= plan_count(CRAC_FILES)) refuse("PREFETCH", i, "file");
}

static void check_names(void) {
  const struct crac_vdso_symbol *functions = plan_records(CRAC_VDSO);
  for (uint32_t i = 0; i < plan_count(CRAC_VDSO); i++) {
    if (!is_within(functions[i].offset, MACHINE_VDSO_PATCH_BYTES, plan->vdso_size)) refuse("VDSO", i, "offset");
    if (!is_text(functions[i].name_blob)) refuse("VDSO", i, "name_blob");
  }
  const struct crac_cpu *needs = plan_records(CRAC_CPU);
  for (uint32_t i = 0; i < plan_count(CRAC_CPU); i++) {
    if (needs[i].reg > 3) refuse("CPU", i, "reg");
    if (!is_text(needs[i].name_blob)) refuse("CPU", i, "name_blob");
  }
}

void check_plan_records(void) {
  check_kinds();
  check_header();
  check_memory();
  check_file_records();
  check_threads();
  check_signals();
  check_descriptors();
  check_sockets();
  check_names();
  check_read_ahead();
  check_header_addresses();
  check_written_addresses();
}
