/* A static program that does what the contract tests ask for, so that their image needs no shell and no libraries. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Prints one line for each open descriptor, and `ready`; then answers every connection with "hello\n". */
static int serve(int port) {
  char link[4096], name[64];
  for (int fd = 0; fd < 256; fd++) {
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(name, link, sizeof link - 1);
    if (size >= 0) printf("fd %d %.*s\n", fd, (int)size, link);
  }
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 16)) return perror("listen"), 1;
  fprintf(stderr, "warning on stderr\n");
  puts("ready");
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    char request[1024];
    if (fd < 0 || read(fd, request, sizeof request) < 0) continue;
    if (write(fd, "hello\n", 6) < 0) perror("write");
    close(fd);
  }
}

static void facts(void) {
  char line[256];
  struct statfs root;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, "Cap", 3) || !strncmp(line, "NoNewPrivs", 10) || !strncmp(line, "Seccomp:", 8)) fputs(line, stdout);
  char *cwd = getcwd(line, sizeof line);
  printf("uid %d gid %d pid %d cwd %s\n", getuid(), getgid(), getpid(), cwd);
  statfs("/", &root);
  printf("read-only %d\n", !!(root.f_flags & 1));
  printf("tmpfs %s\n", statfs("/scratch", &root) == 0 && root.f_type == 0x01021994 ? "yes" : "no");
  for (char **variable = environ; *variable; variable++) printf("env %s\n", *variable);
}

/* The address of a name, as a libc finds it: in the hosts file, else from the name server. */
static int ask(const char *host, const char *port) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
  int problem = getaddrinfo(host, port, &hints, &found);
  if (problem) return fprintf(stderr, "%s: %s\n", host, gai_strerror(problem)), 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  char answer[64];
  if (connect(fd, found->ai_addr, found->ai_addrlen) || write(fd, "hi", 2) < 0) return perror(host), 1;
  ssize_t size = read(fd, answer, sizeof answer);
  return fwrite(answer, 1, size > 0 ? (size_t)size : 0, stdout), 0;
}

static void stop(int signal) { _exit(40 + signal); }

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  if (!strcmp(verb, "serve")) return signal(SIGTERM, stop), serve(atoi(argv[2]));
  if (!strcmp(verb, "facts")) return facts(), 0;
  if (!strcmp(verb, "exit")) return fprintf(stderr, "leaving\n"), atoi(argv[2]);
  if (!strcmp(verb, "ask")) return ask(argv[2], argv[3]);
  if (!strcmp(verb, "sleep")) return pause();
  if (!strcmp(verb, "write")) { /* PATH TEXT */
    FILE *file = fopen(argv[2], "w");
    return file && fputs(argv[3], file) >= 0 && !fclose(file) ? 0 : (perror(argv[2]), 1);
  }
  if (!strcmp(verb, "remove")) return remove(argv[2]) ? (perror(argv[2]), 1) : 0;
  if (!strcmp(verb, "mkdir")) return mkdir(argv[2], 0750) ? (perror(argv[2]), 1) : 0;
  if (!strcmp(verb, "print")) { /* COUNT bytes on stdout, "done" on stderr */
    for (long left = atol(argv[2]); left > 0; left--) putchar('x');
    return fflush(stdout), fputs("done\n", stderr), 0;
  }
  return 64;
}
