/*
 * ctl: talks to the checkpoint agent of a JVM in the same container.
 *
 *   ctl checkpoint [--settle-ms N] [--skip NAME,…] [--join] [--pid PID]
 *                                                         has the JVM prepared, without the steps that --skip names
 *                                                         (docs/memory.md); prints ReadyFacts. --join: waits for the
 *                                                         checkpoint that the app itself asks for
 *   ctl resume MAILBOX_ADDRESS [--pid PID]                tells a prepared JVM that it was not checkpointed, waits until
 *                                                         it works again, and prints its status
 *   ctl status [--pid PID]                                prints {"state":"running|waiting|restored",…,"last":…}, where
 *                                                         "last" tells how the last checkpoint ended
 *   ctl facts [--for-ms N] [--pid PID]                    prints what the JIT does, and goes on each 250 ms for N ms
 *   ctl cpu                                               prints cpuid: "leaf subleaf eax ebx ecx edx", hexadecimal
 *   ctl kernel                                            prints the release of the kernel: "6.1.0-18-amd64"
 *   ctl touched [--pid PID]                               prints which pages of its files the process has touched
 *   ctl descriptors [--pid PID]                           prints what CRIU does not tell of its descriptors and threads
 *
 * Without --pid: process 1, or else the only JVM of this pid namespace that has a control channel.
 * `checkpoint` succeeds when the JVM waits to be dumped, which saves nothing yet: a JVM that nobody dumps within
 * CRAC_CHECKPOINT_TIMEOUT goes on by itself.
 *
 * Exit code 0; 1 with {"error":"…","details":[…]} on stdout; 2 for wrong usage.
 */
#define _GNU_SOURCE
#include "../control.h"
#include "../mailbox.h"
#include "descriptors.h"
#include "threads.h"
#include "touched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#define SETTLE_MS "5500"
#define RESUME_LIMIT_MS 30000
#define POLL_MS 20
#define FACTS_MS 250

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("{\"error\":\"", stdout);
  vprintf(format, arguments);
  fputs("\",\"details\":[]}\n", stdout);
  exit(1);
}

static void usage(void) __attribute__((noreturn));
static void usage(void) {
  fputs("usage: ctl checkpoint [--settle-ms N] [--skip NAME,NAME] [--join] [--pid PID]\n"
        "       ctl resume MAILBOX_ADDRESS [--pid PID]\n"
        "       ctl status [--pid PID]\n"
        "       ctl facts [--for-ms N] [--pid PID]\n"
        "       ctl call CLASS [--pid PID]\n"
        "       ctl cpu\n"
        "       ctl kernel\n"
        "       ctl touched [--pid PID]\n"
        "       ctl descriptors [--pid PID]\n",
        stderr);
  exit(2);
}

static bool is_number(const char *text) { return *text && strlen(text) < 8 && strspn(text, "0123456789") == strlen(text); }

static bool is_list_of_names(const char *text) {
  return *text && strlen(text) <= CRAC_MAX_NAMES && strspn(text, "abcdefghijklmnopqrstuvwxyz-,") == strlen(text);
}

static bool is_class_name(const char *text) {
  return *text && strlen(text) <= CRAC_MAX_NAMES && strspn(text, CRAC_CLASS_NAME) == strlen(text);
}

static int connect_to(long pid) {
  struct sockaddr_un address;
  socklen_t length = crac_control_address(pid, &address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    die("no unix socket: %s", strerror(errno));
  if (connect(fd, (struct sockaddr *)&address, length) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Looks for "@crac-build/PIDNS/PID" among the listening sockets. */
static long find_pid(void) {
  char namespace[24], name[64], line[512];
  crac_pid_namespace(namespace);
  snprintf(name, sizeof name, "@" CRAC_CONTROL_PREFIX "%s/", namespace);
  long found = 0;
  FILE *sockets = fopen("/proc/net/unix", "re");
  while (sockets && fgets(line, sizeof line, sockets)) {
    char *at = strstr(line, name);
    /* flags 00010000: listening */
    if (!at || !strstr(line, " 00010000 "))
      continue;
    if (found)
      die("more than one JVM has a control channel: name one with --pid");
    found = atol(at + strlen(name));
  }
  if (sockets)
    fclose(sockets);
  return found;
}

/* Sends one line and gives the one that comes back; NULL when nobody listens. Without a pid: whoever does. */
static char *exchange(long pid, const char *request) {
  int fd = connect_to(pid ? pid : 1);
  if (fd < 0 && !pid && (pid = find_pid()) != 0)
    fd = connect_to(pid);
  if (fd < 0)
    return NULL;
  /* one short line always fits; a JVM that refuses this user has answered and closed already: its answer can be read */
  (void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
  size_t used = 0, size = 4096;
  char *answer = malloc(size);
  for (ssize_t n; answer;) {
    n = read(fd, answer + used, size - used - 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    used += (size_t)n;
    if (size - used < 1024)
      answer = realloc(answer, size *= 2);
  }
  close(fd);
  if (!answer)
    die("no memory");
  answer[used] = 0;
  return answer;
}

/* Prints the answer. */
static int ask(long pid, const char *request) {
  char *answer = exchange(pid, request);
  if (!answer)
    die("no JVM with the checkpoint agent answers here (is -agentpath:/opt/crac/libcrac.so among its options?)");
  if (!strchr(answer, '\n'))
    die("the JVM ended the conversation without an answer");
  fputs(answer, stdout);
  return strncmp(answer, "{\"error\"", 8) == 0;
}

/* The app has been told; now it must take up work again, and say so. */
static int await_work(long pid) {
  for (int waited_ms = 0; waited_ms < RESUME_LIMIT_MS; waited_ms += POLL_MS) {
    char *answer = exchange(pid, "status\n");
    if (answer && strstr(answer, "\"checkpointing\":false")) {
      char *details = strstr(answer, "\"details\":["), *end = strrchr(answer, '}');
      if (!details || !strncmp(details, "\"details\":[]", 12)) {
        fputs(answer, stdout);
        return 0;
      }
      *end = 0; /* of the status; what is left ends the list and the outcome */
      printf("{\"error\":\"not all of the app took up work again\",%s\n", details);
      return 1;
    }
    free(answer);
    const struct timespec pause = {0, POLL_MS * 1000000L};
    nanosleep(&pause, NULL);
  }
  die("the app has been told, but did not take up work within %d s", RESUME_LIMIT_MS / 1000);
}

static int resume(long pid, const char *text) {
  char *end;
  errno = 0;
  unsigned long long address = strtoull(text, &end, 0);
  if (errno || *end || end == text || address == 0)
    usage();
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/mem", pid ? pid : 1);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    die("the memory of process %ld cannot be written: %s", pid ? pid : 1, strerror(errno));
  struct crac_mailbox mailbox;
  if (pread(fd, &mailbox, sizeof mailbox, (off_t)address) != sizeof mailbox || mailbox.magic != CRAC_MAILBOX_MAGIC ||
      mailbox.version != CRAC_MAILBOX_VERSION)
    die("process %ld has no mailbox at this address", pid ? pid : 1);
  if (mailbox.state != CRAC_WAITING)
    die("the process does not wait for a checkpoint any more");
  uint32_t state = CRAC_NOT_CHECKPOINTED;
  if (pwrite(fd, &state, sizeof state, (off_t)(address + offsetof(struct crac_mailbox, state))) != sizeof state)
    die("the mailbox cannot be written: %s", strerror(errno));
  return await_work(pid);
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A line each FACTS_MS, the first at once, so that one exec brings several. It ends by itself: an exec that is given up runs on. */
static int print_facts(long pid, long for_ms) {
  const long long begin = now_ms();
  for (long long next = begin;; next += FACTS_MS) {
    const long long wait_ms = next - now_ms();
    const struct timespec pause = {0, wait_ms > 0 ? wait_ms * 1000000L : 0};
    nanosleep(&pause, NULL);
    const int status = ask(pid, "facts\n");
    fflush(stdout);
    if (status != 0 || next + FACTS_MS - begin > for_ms)
      return status;
  }
}

#if defined(__x86_64__)
#include <cpuid.h>
static void print_leaf(unsigned leaf, unsigned subleaf) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  __cpuid_count(leaf, subleaf, a, b, c, d);
  printf("%x %x %x %x %x %x\n", leaf, subleaf, a, b, c, d);
}

static int print_cpu(void) {
  static const unsigned leaves[][2] = {{0, 0},    {1, 0},    {7, 0},    {7, 1},          {0xd, 0},        {0xd, 1},
                                       {0x14, 0}, {0x19, 0}, {0x80000000, 0}, {0x80000001, 0}, {0x80000007, 0}, {0x80000008, 0}};
  for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
    if (leaves[i][0] <= __get_cpuid_max(leaves[i][0] & 0x80000000, NULL))
      print_leaf(leaves[i][0], leaves[i][1]);
  for (unsigned component = 2; component < 20 && __get_cpuid_max(0, NULL) >= 0xd; component++)
    print_leaf(0xd, component); /* where each part of the XSAVE area lies */
  unsigned a, b, c, d;
  __cpuid(1, a, b, c, d);
  if (c & bit_OSXSAVE) {
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    printf("ffffff00 0 %x 0 0 %x\n", a, d);
  }
  return 0;
}
#else
static int print_cpu(void) { die("no cpuid on this architecture"); }
#endif

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "", *address = NULL, *settle_ms = SETTLE_MS, *skip = "";
  bool join = false;
  long pid = 0, for_ms = 0;
  for (int i = 2; i < argc; i++) {
    if (!strcmp(argv[i], "--pid") && i + 1 < argc && is_number(argv[i + 1]))
      pid = atol(argv[++i]);
    else if (!strcmp(argv[i], "--settle-ms") && i + 1 < argc && is_number(argv[i + 1]))
      settle_ms = argv[++i];
    else if (!strcmp(argv[i], "--skip") && i + 1 < argc && is_list_of_names(argv[i + 1]))
      skip = argv[++i];
    else if (!strcmp(argv[i], "--for-ms") && i + 1 < argc && is_number(argv[i + 1]))
      for_ms = atol(argv[++i]);
    else if (!strcmp(argv[i], "--join"))
      join = true;
    else if (!address && argv[i][0] != '-')
      address = argv[i];
    else
      usage();
  }
  if (!strcmp(command, "resume") && address)
    return resume(pid, address);
  if (!strcmp(command, "call") && address && is_class_name(address)) {
    char call[16 + CRAC_MAX_NAMES];
    snprintf(call, sizeof call, "call %s\n", address);
    return ask(pid, call);
  }
  if (address)
    usage();
  if (!strcmp(command, "cpu"))
    return print_cpu();
  if (!strcmp(command, "kernel")) {
    struct utsname names;
    return uname(&names) == 0 && puts(names.release) >= 0 ? 0 : 1;
  }
  if (!strcmp(command, "touched")) {
    if (print_touched(pid ? pid : 1) == 0)
      return 0;
    die("the page tables of process %ld cannot be read: %s", pid ? pid : 1, strerror(errno));
  }
  if (!strcmp(command, "descriptors")) {
    if (print_descriptor_facts(pid ? pid : 1) == 0 && print_thread_facts(pid ? pid : 1) == 0)
      return 0;
    die("the descriptors of process %ld cannot be read: %s", pid ? pid : 1, strerror(errno));
  }
  if (!strcmp(command, "facts"))
    return print_facts(pid, for_ms);
  if (!strcmp(command, "status"))
    return ask(pid, "status\n");
  if (strcmp(command, "checkpoint"))
    usage();
  char request[64 + CRAC_MAX_NAMES];
  snprintf(request, sizeof request, "%s %s%s%s\n", join ? "join" : "checkpoint", settle_ms, *skip ? " " : "", skip);
  return ask(pid, request);
}
