/* replay TARGET PLAN FILE…: one line for each file, "released", "cold" or "failed" and what was said. */
#include <stdio.h>
#include <string.h>

#include "targets.h"
#include <stdlib.h>

int main(int argc, char **argv) {
  static const char *const words[] = {[RELEASED] = "released", [STARTED_COLD] = "cold", [FAILED_ITSELF] = "failed"};
  if (argc < 4) return 2;
  target run = find_target(argv[1]);
  use_plan(argv[2]);
  for (int i = 3; i < argc; i++) {
    size_t size;
    uint8_t *bytes = load(argv[i], &size);
    fprintf(stderr, "%s\n", argv[i]); /* the last one is what a sanitizer's report is about */
    struct outcome outcome = run(bytes, size);
    printf("%s %.*s\n", words[outcome.how], (int)strcspn(outcome.said, "\n"), outcome.said);
    free(bytes);
  }
  return 0;
}
