/*
 * memory of hugetlbfs
 * not dumped: the app uses huge pages of hugetlbfs. Start the JVM without -XX:+UseLargePages; transparent huge pages can stay.
 */
#include "state.h"

int main(void) {
  void *memory = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
  need(memory != MAP_FAILED);
  await_restore();
}
