/*
 * probe isolate [--root DIR] -- COMMAND [ARGUMENT]...
 *
 *   Becomes COMMAND with a network of its own, where only loopback is up, and mounts of its own. With --root, DIR (the
 *   unpacked root of an image) gets /proc, /dev and an empty /tmp.
 *
 * probe measure [--root DIR [--chroot]] [--env NAME=VALUE]... [--log FILE] [--timeout MS] [--operations N,N,...] PORT PATH
 *               -- COMMAND [ARGUMENT]...
 *
 *   Starts COMMAND in such surroundings, as the first process of its own process namespace, asks 127.0.0.1:PORT for PATH
 *   until there is an answer, and prints one line of JSON:
 *
 *     {"firstByteNs":…,"connectNs":…,"status":200,"rssBytes":…,"body":"…"}
 *
 *   Times count from just before the execve of COMMAND. rssBytes is that of the largest process among COMMAND and its
 *   descendants, right after the answer. Then exactly this namespace is killed. COMMAND's environment is what --env
 *   says and nothing else, its output goes to FILE. With --operations it goes on asking over one connection until it has so many
 *   answers, the first included, and tells when it had each number of them: "operationsNs":[…].
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "die.h"
#include "http.h"
#include "operations.h"
#include "rss.h"

#define POLL_INTERVAL_NS 100000
#define MAX_COUNTS 16

struct options {
  const char *root, *log;
  int chroot;
  long timeout_ms;
  char *environment[64];
  int environment_count;
  long counts[MAX_COUNTS];
  int count_count;
  int port;
  const char *path;
  char **command;
};

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void raise_loopback(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo"};
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request)) die_with_error("looking at loopback");
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request)) die_with_error("raising loopback");
  close(fd);
}

static void mount_at(const char *source, const char *root, const char *folder, const char *type, unsigned long flags,
                     const char *data) {
  char target[4096];
  snprintf(target, sizeof target, "%s%s", root, folder);
  if (mkdir(target, 0755) && errno != EEXIST) die_with_error("making %s", target);
  if (mount(source, target, type, flags, data)) die_with_error("mounting %s", target);
}

/* In the process that will use them: /proc shows the process namespace of the one that mounts it. */
static void mount_surroundings(const char *root, int own_processes) {
  if (unshare(CLONE_NEWNS)) die_with_error("making a mount namespace (needs CAP_SYS_ADMIN)");
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) die_with_error("making mounts private");
  /* crun refuses machines that have controllers in cgroup v1 and v2 alike: here it sees v1 alone. */
  umount2("/sys/fs/cgroup/unified", MNT_DETACH);
  if (own_processes) mount_at("proc", "", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  if (!root) return;
  mount_at("proc", root, "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mount_at("/dev", root, "/dev", NULL, MS_BIND | MS_REC, NULL);
  mount_at("tmpfs", root, "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

/* "200,1000": growing. */
static void parse_counts(const char *text, struct options *options) {
  for (char *end; options->count_count < MAX_COUNTS; text = end + 1) {
    long count = strtol(text, &end, 10), before = options->count_count ? options->counts[options->count_count - 1] : 0;
    if (end == text || count <= before) break;
    options->counts[options->count_count++] = count;
    if (!*end) return;
  }
  die("--operations: needs growing numbers with commas between them, at most %d", MAX_COUNTS);
}

static struct options parse_options(char **argument) {
  struct options options = {.timeout_ms = 30000};
  for (; *argument && !strncmp(*argument, "--", 2) && (*argument)[2]; argument++) {
    if (!strcmp(*argument, "--chroot")) {
      options.chroot = 1;
      continue;
    }
    const char *name = *argument++;
    if (!*argument) die("%s: needs a value", name);
    if (!strcmp(name, "--root")) options.root = *argument;
    else if (!strcmp(name, "--log")) options.log = *argument;
    else if (!strcmp(name, "--timeout")) options.timeout_ms = atol(*argument);
    else if (!strcmp(name, "--operations")) parse_counts(*argument, &options);
    else if (!strcmp(name, "--env") && options.environment_count < 63)
      options.environment[options.environment_count++] = *argument;
    else die("%s: no such flag, or too many of it", name);
  }
  if (*argument && strcmp(*argument, "--")) {
    options.port = atoi(*argument++);
    options.path = *argument ? *argument++ : NULL;
  }
  if (!*argument || strcmp(*argument, "--") || !argument[1]) die("usage: see the head of probe.c");
  options.command = argument + 1;
  if (options.chroot && !options.root) die("--chroot: needs --root");
  return options;
}

static void isolate(struct options options) {
  if (unshare(CLONE_NEWNET)) die_with_error("making a network namespace (needs CAP_SYS_ADMIN)");
  raise_loopback();
  mount_surroundings(options.root, 0);
  /* What the caller left open belongs to its own mounts: CRIU could not dump a process that inherits it. */
  if (close_range(3, ~0U, 0)) die_with_error("closing files");
  execvp(options.command[0], options.command);
  die_with_error("%s", options.command[0]);
}

static void run_command(struct options options, volatile int64_t *started_ns) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int in = open("/dev/null", O_RDONLY);
  int out = open(options.log ? options.log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0) die_with_error("opening the log");
  int err = fcntl(2, F_DUPFD_CLOEXEC, 10);
  mount_surroundings(options.root, 1);
  if (setsid() < 0) die_with_error("setsid");
  if (options.chroot && (chroot(options.root) || chdir("/"))) die_with_error("changing the root to %s", options.root);
  dup2(in, 0), dup2(out, 1), dup2(out, 2);
  close(in), close(out);
  *started_ns = now_ns();
  execvpe(options.command[0], options.command, options.environment);
  dup2(err, 2);
  die_with_error("%s", options.command[0]);
}

static pid_t start(struct options options, volatile int64_t *started_ns) {
  if (unshare(CLONE_NEWNET | CLONE_NEWPID)) die_with_error("making namespaces (needs CAP_SYS_ADMIN)");
  raise_loopback();
  pid_t child = fork();
  if (child < 0) die_with_error("fork");
  if (!child) run_command(options, started_ns);
  return child;
}

static void print_text(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') printf("\\%c", *c);
    else if (*c < ' ' || *c >= 0x7f) printf("\\u%04x", *c);
    else putchar(*c);
  }
  putchar('"');
}

static int measure(struct options options) {
  if (options.port <= 0 || !options.path) die("measure: needs PORT and PATH");
  volatile int64_t *started_ns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (started_ns == MAP_FAILED) die_with_error("mmap");
  prctl(PR_SET_TIMERSLACK, 1);
  int64_t deadline_ns = now_ns() + options.timeout_ms * 1000000LL;
  pid_t child = start(options, started_ns);

  struct answer answer = {0};
  int status = 0, answered = 0, ended = 0;
  for (unsigned attempt = 1; !answered; attempt++) {
    answered = ask(options.port, options.path, deadline_ns, &answer);
    if (answered || now_ns() > deadline_ns) break;
    if (attempt % 64 == 0 && waitpid(child, &status, WNOHANG) == child) {
      ended = 1;
      break;
    }
    nanosleep(&(struct timespec){0, POLL_INTERVAL_NS}, NULL);
  }
  int64_t rss = answered ? largest_rss_bytes(child) : 0;
  int64_t done_ns[MAX_COUNTS];
  int operated =
      answered && !operate(options.port, options.path, options.counts, options.count_count, 1, deadline_ns, done_ns);
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  if (ended) die("%s ended with %s %d before it answered", options.command[0], WIFSIGNALED(status) ? "signal" : "exit code",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  if (!answered) die("%s did not answer within %ld ms", options.command[0], options.timeout_ms);
  if (!operated) die("%s stopped answering with 200, or took longer than %ld ms", options.command[0], options.timeout_ms);
  printf("{\"firstByteNs\":%lld,\"connectNs\":%lld,\"status\":%d,\"rssBytes\":%lld,\"body\":",
         (long long)(answer.first_byte_ns - *started_ns), (long long)(answer.connected_ns - *started_ns), answer.status,
         (long long)rss);
  print_text(answer.body ? answer.body : "");
  for (int i = 0; i < options.count_count; i++)
    printf("%s%lld", i ? "," : ",\"operationsNs\":[", (long long)(done_ns[i] - *started_ns));
  puts(options.count_count ? "]}" : "}");
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) die("usage: probe isolate|measure …, see the head of probe.c");
  struct options options = parse_options(argv + 2);
  if (!strcmp(argv[1], "isolate")) isolate(options);
  if (!strcmp(argv[1], "measure")) return measure(options);
  die("%s: no such command", argv[1]);
}
