/*
 * mapped files and a current folder with odd names
 * restored: map
 */
#include <sys/stat.h>

#include "state.h"

static const char *const names[] = {"with space", "gr\xc3\xbc\xc3\x9f" "e", "new\nline", "quo\"te'", "was (deleted)", "back\\slash"};
#define COUNT (sizeof names / sizeof *names)

int main(void) {
  char bytes[PAGE], *memory[COUNT], before[4096], after[4096];
  need(mkdir("odd folder\t", 0755) == 0 && chdir("odd folder\t") == 0 && getcwd(before, sizeof before) != NULL);
  for (unsigned i = 0; i < COUNT; i++) {
    fill(bytes, PAGE, i);
    write_file(names[i], bytes, PAGE);
    int fd = open(names[i], O_RDONLY);
    memory[i] = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    need(memory[i] != MAP_FAILED && close(fd) == 0);
  }
  await_restore();
  for (unsigned i = 0; i < COUNT; i++)
    if (!is_filled(memory[i], PAGE, i)) leave(1, "%s is not mapped as it was", names[i]);
  check(getcwd(after, sizeof after) != NULL && strcmp(before, after) == 0);
}
