/*
 * What the process has open, for the check before a checkpoint. Everything comes from the descriptor itself: no list of
 * the system's connections is read, and nothing is opened but /proc/self/fd and, of files, /proc/self/fdinfo/N.
 *
 * Result: strings that end with NUL, FIELD_COUNT of them for each descriptor from 3 on:
 *
 *   number, kind, status flags (F_GETFL), name (the link's text), links (0: deleted), inode
 *   sockets, else empty: family, type, TCP state, local address, local port, remote address, remote port, waiting bytes
 *   files: "locked" where the process holds a lock or a lease on it; else empty
 *
 * kind: file folder device fifo pipe socket epoll eventfd other. Addresses are numeric (an IPv4 address inside an IPv6
 * one is told as IPv4), paths of unix sockets, "@name" for abstract ones, and empty where there is none.
 */
#define _GNU_SOURCE
#include "agent.h"
#include "../control.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define FIELD_COUNT 15
#define LISTENING 10 /* TCP_LISTEN of the kernel's enum */

struct text {
  char *at;
  size_t size, capacity;
  bool failed;
};

static void put(struct text *out, const char *string) {
  size_t size = strlen(string) + 1;
  if (out->size + size > out->capacity) {
    size_t capacity = (out->capacity + size) * 2;
    char *grown = realloc(out->at, capacity);
    if (!grown) {
      out->failed = true;
      return;
    }
    out->at = grown;
    out->capacity = capacity;
  }
  memcpy(out->at + out->size, string, size);
  out->size += size;
}

static void put_number(struct text *out, unsigned long long number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", number);
  put(out, digits);
}

static const char *kind_of(const struct stat *status, const char *name) {
  switch (status->st_mode & S_IFMT) {
    case S_IFREG: return strncmp(name, "/memfd:", 7) ? "file" : "other";
    case S_IFDIR: return "folder";
    case S_IFCHR:
    case S_IFBLK: return "device";
    case S_IFSOCK: return "socket";
    case S_IFIFO: return strncmp(name, "pipe:", 5) ? "fifo" : "pipe";
    default:
      return !strcmp(name, "anon_inode:[eventpoll]") ? "epoll" : !strcmp(name, "anon_inode:[eventfd]") ? "eventfd" : "other";
  }
}

static int option(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) ? -1 : value;
}

/* address, port */
static void put_address(struct text *out, const struct sockaddr_storage *address, socklen_t length) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->ss_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    put(out, inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text) ? text : "");
    put_number(out, ntohs(v4->sin_port));
  } else if (address->ss_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    put(out, inet_ntop(is_mapped ? AF_INET : AF_INET6, v6->sin6_addr.s6_addr + (is_mapped ? 12 : 0), text, sizeof text) ? text : "");
    put_number(out, ntohs(v6->sin6_port));
  } else if (address->ss_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
    char path[sizeof(struct sockaddr_un) + 1] = {0};
    size_t size = length - offsetof(struct sockaddr_un, sun_path);
    memcpy(path, ((const struct sockaddr_un *)address)->sun_path, size < sizeof path ? size : sizeof path - 1);
    if (!path[0])
      path[0] = '@';
    put(out, path);
    put(out, "0");
  } else {
    put(out, "");
    put(out, "0");
  }
}

/* Of a connected unix socket: the peer's name, or "inside" when this process made both ends, or "outside"; and no port. */
static void put_unix_peer(struct text *out, int fd, const struct sockaddr_storage *remote, socklen_t length) {
  struct ucred peer = {0, 0, 0};
  socklen_t peer_length = sizeof peer;
  if (length > offsetof(struct sockaddr_un, sun_path)) {
    put_address(out, remote, length);
    return;
  }
  bool is_inside = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_length) && peer.pid == getpid();
  put(out, is_inside ? "inside" : "outside");
  put(out, "0");
}

static void put_socket(struct text *out, int fd) {
  int domain = option(fd, SO_DOMAIN), type = option(fd, SO_TYPE);
  struct sockaddr_storage local = {0}, remote = {0};
  socklen_t local_length = sizeof local, remote_length = sizeof remote;
  if (getsockname(fd, (struct sockaddr *)&local, &local_length))
    local_length = 0;
  bool is_connected = getpeername(fd, (struct sockaddr *)&remote, &remote_length) == 0;
  bool is_mapped = remote.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&((struct sockaddr_in6 *)&remote)->sin6_addr);
  struct tcp_info info = {0};
  socklen_t info_length = sizeof info;
  bool is_tcp = (domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM;
  int state = is_tcp && !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_length) ? info.tcpi_state : 0;
  if (option(fd, SO_ACCEPTCONN) == 1)
    state = LISTENING;
  int unread = 0, unsent = 0;
  if (state != LISTENING && (is_tcp || domain == AF_UNIX)) {
    if (ioctl(fd, SIOCINQ, &unread))
      unread = 0;
    if (!is_tcp || ioctl(fd, SIOCOUTQ, &unsent))
      unsent = 0;
  }
  put(out, domain == AF_UNIX ? "unix" : domain == AF_INET || is_mapped ? "ipv4" : domain == AF_INET6 ? "ipv6" : "other");
  put(out, type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : type == SOCK_SEQPACKET ? "packets" : "raw");
  put_number(out, (unsigned)state);
  put_address(out, &local, local_length);
  if (is_connected && domain == AF_UNIX) {
    put_unix_peer(out, fd, &remote, remote_length);
  } else if (is_connected) {
    put_address(out, &remote, remote_length);
  } else {
    put(out, "");
    put(out, "0");
  }
  put_number(out, (unsigned)unread + (unsigned)unsent);
}

/* The control channel is the agent's, and closed before the dump. */
static bool is_control_channel(int fd) {
  struct sockaddr_un own, found;
  memset(&found, 0, sizeof found);
  socklen_t length = sizeof found, own_length = crac_control_address(getpid(), &own);
  return !getsockname(fd, (struct sockaddr *)&found, &length) && length == own_length && !memcmp(&own, &found, length);
}

/* A "lock:" line of fdinfo; the few lines before it are short. */
static bool is_locked(int fd) {
  char path[64], lines[1024];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  int info = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = info < 0 ? 0 : read(info, lines, sizeof lines - 1);
  if (info >= 0)
    close(info);
  lines[length < 0 ? 0 : length] = 0;
  return strstr(lines, "\nlock:") != NULL;
}

static void put_descriptor(struct text *out, int fd) {
  char link[64], name[4097];
  struct stat status;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0 || syscall(SYS_fstat, fd, &status))
    return; /* closed meanwhile */
  name[length] = 0;
  if (S_ISSOCK(status.st_mode) && is_control_channel(fd))
    return;
  put_number(out, (unsigned)fd);
  put(out, kind_of(&status, name));
  put_number(out, (unsigned)fcntl(fd, F_GETFL));
  put(out, name);
  put_number(out, (unsigned long long)status.st_nlink);
  put_number(out, (unsigned long long)status.st_ino);
  if (S_ISSOCK(status.st_mode))
    put_socket(out, fd);
  else
    for (int i = 6; i < FIELD_COUNT - 1; i++)
      put(out, "");
  put(out, S_ISREG(status.st_mode) && is_locked(fd) ? "locked" : "");
}

/* Throws OutOfMemoryError or IllegalStateException. */
JNIEXPORT jbyteArray JNICALL Java_jdk_crac_impl_Descriptor_list(JNIEnv *env, jclass self) {
  (void)self;
  struct text out = {NULL, 0, 0, false};
  DIR *folder = opendir("/proc/self/fd");
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    int fd = entry->d_name[0] == '.' ? -1 : atoi(entry->d_name);
    if (fd > 2 && fd != dirfd(folder))
      put_descriptor(&out, fd);
  }
  jbyteArray bytes = folder && !out.failed ? (*env)->NewByteArray(env, (jsize)out.size) : NULL;
  if (bytes)
    (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)out.size, (const jbyte *)out.at);
  else if (!(*env)->ExceptionCheck(env))
    (*env)->ThrowNew(env, (*env)->FindClass(env, "java/lang/IllegalStateException"), "/proc/self/fd cannot be read");
  free(out.at);
  if (folder)
    closedir(folder);
  return bytes;
}
