/*
 * mimalloc instead of the C library's malloc
 * restored: map
 */
#include "allocator.h"

int main(int argc, char **argv) {
  (void)argc;
  return run_with("libmimalloc.so.2.0", argv);
}
