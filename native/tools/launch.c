/*
 * launch UID GID -- COMMAND [ARGUMENT]...
 *
 * Runs COMMAND as UID:GID, without supplementary groups, but with every capability that this process is permitted.
 * CRIU needs both: as root it may not read the limits of another user's process without CAP_SYS_RESOURCE, and a
 * process that an engine starts as another user loses its capabilities. File capabilities are no way out, because
 * CRIU is started through the toolbox's own loader. Only the ambient set survives the execve of a non-root user.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "die.h"

static unsigned parse_id(const char *text, const char *what) {
  char *end;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value >= 0xffffffffUL) die("%s: not a %s", text, what);
  return (unsigned)value;
}

static void read_capabilities(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  if (syscall(SYS_capget, &header, data)) die_with_error("capget");
}

static void raise_ambient(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  read_capabilities(data);
  for (int i = 0; i < 2; i++) data[i].inheritable = data[i].effective = data[i].permitted;
  if (syscall(SYS_capset, &header, data)) die_with_error("capset");
  for (unsigned capability = 0; capability < 64; capability++)
    if (data[capability / 32].permitted & (1u << (capability % 32)))
      if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))
        die_with_error("raising capability %u into the ambient set", capability);
}

int main(int argc, char **argv) {
  if (argc < 5 || strcmp(argv[3], "--")) die("usage: launch UID GID -- COMMAND [ARGUMENT]...");
  unsigned uid = parse_id(argv[1], "user id"), gid = parse_id(argv[2], "group id");
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) die_with_error("keeping capabilities");
  if (setgroups(0, NULL)) die_with_error("dropping supplementary groups (needs CAP_SETGID)");
  if (setresgid(gid, gid, gid)) die_with_error("becoming group %u (needs CAP_SETGID)", gid);
  if (setresuid(uid, uid, uid)) die_with_error("becoming user %u (needs CAP_SETUID)", uid);
  raise_ambient();
  execv(argv[4], argv + 4);
  die_with_error("%s", argv[4]);
}
