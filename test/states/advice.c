/*
 * madvise: huge pages or none, not for children, not in core dumps, wiped in children, random or sequential reading
 * restored: map, read
 */
#include "state.h"

static const struct {
  int advice;
  const char *flag;
} kinds[] = {{MADV_HUGEPAGE, "hg"}, {MADV_NOHUGEPAGE, "nh"}, {MADV_DONTFORK, "dc"},   {MADV_DONTDUMP, "dd"},
             {MADV_WIPEONFORK, "wf"}, {MADV_RANDOM, "rr"},   {MADV_SEQUENTIAL, "sr"}};
#define COUNT (sizeof kinds / sizeof *kinds)

int main(void) {
  char *memory[COUNT];
  for (unsigned i = 0; i < COUNT; i++) {
    memory[i] = map_pages(4, PROT_READ | PROT_WRITE, 0);
    map_pages(1, PROT_NONE, 0); /* keeps the areas apart */
    fill(memory[i] + PAGE, PAGE, i);
    need(madvise(memory[i], 4 * PAGE, kinds[i].advice) == 0 && has_area_flag(memory[i], kinds[i].flag));
  }
  await_restore();
  for (unsigned i = 0; i < COUNT; i++) {
    int is_wiped = kinds[i].advice == MADV_WIPEONFORK; /* many processes come out of one, as with fork */
    check(is_wiped ? is_zero(memory[i], 4 * PAGE) : is_filled(memory[i] + PAGE, PAGE, i));
    check(is_zero(memory[i] + 2 * PAGE, PAGE));
    for (int page = 0; page < 4; page++)
      if (!has_area_flag(memory[i] + page * PAGE, kinds[i].flag)) leave(1, "page %d has lost %s", page, kinds[i].flag);
  }
  pid_t child = fork();
  if (child == 0) _exit(is_zero(memory[4], 4 * PAGE) && area_protection(memory[2])[0] == 0 ? 0 : 1);
  int status;
  check(waitpid(child, &status, 0) == child);
  check_equal(status, 0);
}
