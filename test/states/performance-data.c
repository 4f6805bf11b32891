/*
 * performance data that a JVM shares with jps and jstat
 * refused: memory * (*hsperfdata_app/17): it is the JVM's shared performance data. Start the JVM with -XX:+PerfDisableSharedMem
 */
#include <sys/stat.h>

#include "state.h"

int main(void) {
  need(mkdir("hsperfdata_app", 0755) == 0);
  write_file("hsperfdata_app/17", "data", 4);
  int fd = open("hsperfdata_app/17", O_RDWR);
  need(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED && close(fd) == 0);
  await_restore();
}
