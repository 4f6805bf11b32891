#define _GNU_SOURCE
#include "descriptors.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_GROUPS 256
#define MAX_VALUE 16 /* struct crac_sockopt has no more room */

/* Those that a server may set, that change nothing by themselves, and of which CRIU 4.2 does not tell. */
static const struct {
  int level, name;
} OPTIONS[] = {
    {SOL_SOCKET, SO_TIMESTAMP},        {SOL_SOCKET, SO_TIMESTAMPNS},      {SOL_SOCKET, SO_RXQ_OVFL},
    {SOL_SOCKET, SO_BUSY_POLL},        {SOL_SOCKET, SO_ZEROCOPY},         {SOL_SOCKET, SO_MAX_PACING_RATE},
    {IPPROTO_TCP, TCP_MAXSEG},         {IPPROTO_TCP, TCP_SYNCNT},         {IPPROTO_TCP, TCP_LINGER2},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT},   {IPPROTO_TCP, TCP_WINDOW_CLAMP},   {IPPROTO_TCP, TCP_CONGESTION},
    {IPPROTO_TCP, TCP_USER_TIMEOUT},   {IPPROTO_TCP, TCP_FASTOPEN},       {IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    {IPPROTO_TCP, TCP_SAVE_SYN},       {IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE}, {IPPROTO_TCP, TCP_INQ},
    {IPPROTO_UDP, UDP_SEGMENT},        {IPPROTO_UDP, UDP_GRO},            {IPPROTO_IP, IP_TRANSPARENT},
    {IPPROTO_IP, IP_RECVTTL},          {IPPROTO_IP, IP_RECVTOS},          {IPPROTO_IP, IP_RECVERR},
    {IPPROTO_IP, IP_RECVORIGDSTADDR},  {IPPROTO_IP, IP_MTU_DISCOVER},     {IPPROTO_IP, IP_MINTTL},
    {IPPROTO_IP, IP_MULTICAST_IF},     {IPPROTO_IP, IP_MULTICAST_TTL},    {IPPROTO_IP, IP_MULTICAST_LOOP},
    {IPPROTO_IP, IP_MULTICAST_ALL},    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}, {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TTL},              {IPPROTO_IPV6, IPV6_TRANSPARENT},  {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_IPV6, IPV6_RECVTCLASS},   {IPPROTO_IPV6, IPV6_RECVHOPLIMIT}, {IPPROTO_IPV6, IPV6_RECVERR},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER}, {IPPROTO_IPV6, IPV6_UNICAST_HOPS}, {IPPROTO_IPV6, IPV6_MULTICAST_IF},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS}, {IPPROTO_IPV6, IPV6_MULTICAST_LOOP}, {IPPROTO_IPV6, IPV6_MULTICAST_ALL},
    {IPPROTO_IPV6, IPV6_DONTFRAG},     {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL},
};

struct group {
  uint32_t interface;
  struct sockaddr_storage address;
};
static struct group groups[MAX_GROUPS];
static size_t group_count;

static void add_group(unsigned interface, int family, const void *address) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family, address, text, sizeof text);
  /* every interface is in these */
  bool is_usual = !strcmp(text, "224.0.0.1") || !strcmp(text, "ff01::1") || !strcmp(text, "ff02::1");
  if (is_usual || group_count == MAX_GROUPS) return;
  struct group *group = &groups[group_count++];
  group->interface = interface;
  group->address.ss_family = (sa_family_t)family;
  if (family == AF_INET)
    memcpy(&((struct sockaddr_in *)&group->address)->sin_addr, address, 4);
  else
    memcpy(&((struct sockaddr_in6 *)&group->address)->sin6_addr, address, 16);
}

/* The groups that any socket of the network namespace is in; the kernel lists none by socket. */
static void read_groups(long pid) {
  char path[64], line[256], digits[33];
  unsigned interface = 0, word;
  snprintf(path, sizeof path, "/proc/%ld/net/igmp", pid);
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file)) {
    if (line[0] != '\t')
      interface = (unsigned)strtoul(line, NULL, 10);
    else if (sscanf(line, " %8x", &word) == 1)
      add_group(interface, AF_INET, &word); /* told as the machine has the four bytes */
  }
  if (file) fclose(file);
  snprintf(path, sizeof path, "/proc/%ld/net/igmp6", pid);
  file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file)) {
    unsigned char address[16];
    if (sscanf(line, "%u %*s %32s", &interface, digits) != 2 || strlen(digits) != 32) continue;
    for (int i = 0; i < 16; i++) sscanf(digits + 2 * i, "%2hhx", &address[i]);
    add_group(interface, AF_INET6, address);
  }
  if (file) fclose(file);
}

static void print_memberships(int fd, int socket) {
  for (size_t i = 0; i < group_count; i++) {
    struct group_filter filter = {.gf_interface = groups[i].interface};
    socklen_t size = GROUP_FILTER_SIZE(0);
    int family = groups[i].address.ss_family;
    memcpy(&filter.gf_group, &groups[i].address, sizeof groups[i].address);
    if (getsockopt(socket, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_MSFILTER, &filter, &size)) continue;
    char text[INET6_ADDRSTRLEN];
    const void *address = family == AF_INET ? (void *)&((struct sockaddr_in *)&groups[i].address)->sin_addr
                                            : (void *)&((struct sockaddr_in6 *)&groups[i].address)->sin6_addr;
    printf("member %d %s\n", fd, inet_ntop(family, address, text, sizeof text));
  }
}

static void print_options(int fd, int socket, int family, int fresh) {
  for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
    unsigned char value[64] = {0}, usual[64] = {0};
    socklen_t size = sizeof value, usual_size = sizeof usual;
    int level = OPTIONS[i].level, name = OPTIONS[i].name;
    /* of IPv4 sockets CRIU tells these two */
    if (family == AF_INET && level == IPPROTO_IP && (name == IP_TOS || name == IP_TTL)) continue;
    if (getsockopt(socket, level, name, value, &size) || getsockopt(fresh, level, name, usual, &usual_size)) continue;
    if (size > MAX_VALUE || (size == usual_size && !memcmp(value, usual, size))) continue;
    printf("option %d %d %d ", fd, level, name);
    for (socklen_t byte = 0; byte < size; byte++) printf("%02x", value[byte]);
    putchar('\n');
  }
}

static int option(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, name, &value, &size) ? -1 : value;
}

static void print_socket(int fd, int socket_fd) {
  int family = option(socket_fd, SO_DOMAIN), type = option(socket_fd, SO_TYPE);
  if ((family != AF_INET && family != AF_INET6) || (type != SOCK_STREAM && type != SOCK_DGRAM)) return;
  int fresh = socket(family, type | SOCK_CLOEXEC, option(socket_fd, SO_PROTOCOL));
  if (fresh < 0) return;
  print_options(fd, socket_fd, family, fresh);
  close(fresh);
  if (type == SOCK_DGRAM) print_memberships(fd, socket_fd);
}

static void print_eventfd(long pid, int fd) {
  char path[64], line[128];
  snprintf(path, sizeof path, "/proc/%ld/fdinfo/%d", pid, fd);
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file))
    if (!strcmp(line, "eventfd-semaphore: 1\n")) printf("semaphore %d\n", fd);
  if (file) fclose(file);
}

int print_descriptor_facts(long pid) {
  char path[64], target[64];
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  snprintf(path, sizeof path, "/proc/%ld/fd", pid);
  DIR *folder = process < 0 ? NULL : opendir(path);
  if (!folder) return -1;
  read_groups(pid);
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
    if (length < 0) return -1;
    target[length] = 0;
    int fd = atoi(entry->d_name);
    if (!strcmp(target, "anon_inode:[eventfd]")) print_eventfd(pid, fd);
    if (strncmp(target, "socket:", 7)) continue;
    int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    if (copy < 0) return -1;
    print_socket(fd, copy);
    close(copy);
  }
  closedir(folder);
  close(process);
  return 0;
}
