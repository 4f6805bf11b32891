/*
 * /tmp/hsperfdata_USER/PID: the file with the JVM's counters by which jps finds it and which jstat reads. A mapped file
 * cannot be in a dump, so the JVM is started with -XX:+PerfDisableSharedMem, which keeps the counters in private memory.
 * After a restore they are moved into a file, mapped where they lay; before another checkpoint they are moved back.
 *
 * Everything as HotSpot does it: the folder belongs to the user and only the user may write it, no link is followed, the
 * file is locked (a JVM that starts deletes files without a lock). Where the user has no name or /tmp cannot be written
 * there is no file, as without a restore.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PASSWD_BYTES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* guarded by lock */
static bool wanted; /* the control thread is to show them */
static int data_file = -1;
static char path[320];

/* PerfMemory::_start and _capacity; false: the JVM keeps no counters. */
bool crac_find_counters(char **start, size_t *capacity) {
  struct crac_field start_field, capacity_field;
  if (!crac_find_field("PerfMemory", "_start", &start_field) || !crac_find_field("PerfMemory", "_capacity", &capacity_field) ||
      !start_field.address || !capacity_field.address)
    return false;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  *start = *(char **)start_field.address;
  *capacity = (*(size_t *)capacity_field.address + page - 1) & ~(page - 1);
  return *start && *capacity && ((uintptr_t)*start & (page - 1)) == 0;
}

/* Puts `area`, with the counters copied into it, in the place of the counters. */
static bool move_counters(char *area, char *start, size_t capacity) {
  memcpy(area, start, capacity);
  if (mremap(area, capacity, capacity, MREMAP_MAYMOVE | MREMAP_FIXED, start) == start)
    return true;
  munmap(area, capacity);
  return false;
}

/* name:password:uid:… The system's own look-up may load libraries, which is too much for a restored process. */
static bool find_user_name(char *name, size_t size) {
  static char text[PASSWD_BYTES];
  char uid[16];
  int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0)
    close(file);
  text[length > 0 ? length : 0] = 0;
  snprintf(uid, sizeof uid, ":%u:", (unsigned)geteuid());
  for (char *line = text, *next; line && *line; line = next) {
    if ((next = strchr(line, '\n')) != NULL)
      *next++ = 0;
    char *password = strchr(line, ':'), *id = password ? strchr(password + 1, ':') : NULL;
    if (!id || strncmp(id, uid, strlen(uid)) != 0 || password == line || (size_t)(password - line) >= size)
      continue;
    memcpy(name, line, (size_t)(password - line));
    name[password - line] = 0;
    return !strchr(name, '/');
  }
  return false;
}

/* glibc's fstat() has a version of 2.33. */
static long read_status(int fd, struct stat *status) { return syscall(SYS_fstat, fd, status); }

static int open_folder(const char *folder) {
  struct stat status;
  if (mkdir(folder, 0755) && access(folder, W_OK))
    return -1;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && (read_status(fd, &status) || status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))) {
    close(fd);
    return -1;
  }
  return fd;
}

static int open_data_file(int folder, const char *name, size_t capacity) {
  struct stat status;
  int file = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0 && (read_status(file, &status) || !S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_uid != geteuid() ||
                    flock(file, LOCK_EX | LOCK_NB) || ftruncate(file, 0) || ftruncate(file, (off_t)capacity))) {
    close(file);
    return -1;
  }
  return file;
}

static void JNICALL on_vm_death(jvmtiEnv *jvmti, JNIEnv *env) {
  (void)jvmti, (void)env;
  crac_hide_perf_data();
}

/* To be called by a Java thread. The environment is this file's own: others change the callbacks of theirs. */
static void watch_death(void) {
  static jvmtiEnv *watch;
  jvmtiEventCallbacks callbacks;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.VMDeath = on_vm_death;
  if (watch || (*crac_vm)->GetEnv(crac_vm, (void **)&watch, JVMTI_VERSION_9) != JNI_OK)
    return;
  if ((*watch)->SetEventCallbacks(watch, &callbacks, sizeof callbacks) ||
      (*watch)->SetEventNotificationMode(watch, JVMTI_ENABLE, JVMTI_EVENT_VM_DEATH, NULL))
    crac_warn("this JVM does not tell its end: its file in /tmp will outlive it");
}

static void show(void) {
  char *start, user[256], folder_path[288], name[16];
  size_t capacity;
  if (data_file >= 0 || !crac_vm_flag("PerfDisableSharedMem") || !crac_find_counters(&start, &capacity) ||
      !find_user_name(user, sizeof user))
    return;
  snprintf(folder_path, sizeof folder_path, "/tmp/hsperfdata_%s", user);
  snprintf(name, sizeof name, "%d", (int)syscall(SYS_getpid));
  snprintf(path, sizeof path, "%s/%s", folder_path, name);
  int folder = open_folder(folder_path);
  if (folder < 0)
    return;
  int file = open_data_file(folder, name, capacity);
  if (file >= 0) {
    /* written, not only mapped: on a full /tmp this fails, and a touch of the map would be fatal */
    ssize_t written = pwrite(file, start, capacity, 0);
    char *area = written == (ssize_t)capacity ? mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (area != MAP_FAILED && move_counters(area, start, capacity)) {
      data_file = file;
    } else {
      unlinkat(folder, name, 0);
      close(file);
    }
  }
  close(folder);
}

static bool hide(void) {
  char *start;
  size_t capacity;
  if (data_file < 0 || !crac_find_counters(&start, &capacity))
    return false;
  char *area = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED || !move_counters(area, start, capacity))
    return false;
  unlink(path);
  close(data_file);
  data_file = -1;
  return true;
}

/* Before a checkpoint, so that there is less to be done after the restore. */
void crac_prepare_perf_data(void) { watch_death(); }

/* The control thread shows them when it opens its channel: nobody is to wait for it. */
void crac_show_perf_data_soon(void) {
  pthread_mutex_lock(&lock);
  wanted = true;
  pthread_mutex_unlock(&lock);
}

void crac_show_wanted_perf_data(void) {
  pthread_mutex_lock(&lock);
  if (wanted)
    show();
  wanted = false;
  pthread_mutex_unlock(&lock);
}

void crac_show_perf_data(void) {
  crac_show_perf_data_soon();
  crac_show_wanted_perf_data();
}

/* Returns whether there was a file. */
bool crac_hide_perf_data(void) {
  pthread_mutex_lock(&lock);
  wanted = false;
  bool was_there = hide();
  pthread_mutex_unlock(&lock);
  return was_there;
}
