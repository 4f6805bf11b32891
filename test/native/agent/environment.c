/* environment.c: the variables of the new container out of the mailbox's strings, and in what they differ from those before. */
#include "made-up.h"

#include <string.h>
#include <unistd.h>

#include "../../../native/agent/environment.c"

#define STRINGS(...) STRINGS_OF("" __VA_ARGS__)
#define STRINGS_OF(text) (text), (text) + sizeof(text) - 1

static char told[256];
/* C's environment is never freed: here it is held on to. */
char *environment_texts[16], **environments[16];

/* "+NAME " for each change, "~" and "-" likewise. */
static void note(void *context, enum crac_change change, const char *variable, size_t length) {
  CHECK(context == told && variable[length] == '=');
  size_t used = strlen(told);
  CHECK(used + length + 3 < sizeof told);
  snprintf(told + used, sizeof told - used, "%c%.*s ", change, (int)length, variable);
}

static bool are_changes(const char *expected) {
  told[0] = 0;
  crac_each_change(note, told);
  return !strcmp(told, expected);
}

/* `text` ends where the mailbox's data does: with a NUL, of a block of just its size. */
static void replace(const char *text, const char *end, uint32_t skipped, uint32_t count) {
  static unsigned uses;
  size_t size = (size_t)(end - text);
  char *copy = memcpy(malloc(size + 1), text, size);
  copy[size] = 0;
  CHECK(uses < 16 && crac_replace_environment(copy, copy + size, skipped, count));
  environment_texts[uses] = copy;
  environments[uses++] = environ;
}

void test_environment(void) {
  char **own = environ;
  replace(STRINGS("-Da=b\0serve\0A=1\0AB=2\0C=\0D=x=y\0"), 2, 4);
  CHECK(!strcmp(getenv("A"), "1") && !strcmp(getenv("AB"), "2") && !strcmp(getenv("C"), "") && !strcmp(getenv("D"), "x=y"));
  CHECK(getenv("-Da") == NULL && getenv("HOME") == NULL && environ[4] == NULL);

  replace(STRINGS("AB=2\0C=now\0D=x=y\0NEW=1\0"), 0, 4);
  CHECK(are_changes("~C +NEW -A ")); /* A is the beginning of AB, and not it */
  replace(STRINGS("A=1\0D=x=z\0"), 0, 2);
  CHECK(are_changes("+A ~D -AB -C -NEW "));
  replace(STRINGS("A=1\0D=x=z\0"), 0, 2);
  CHECK(are_changes(""));

  replace(STRINGS("A=1\0A=2\0none\0=C:=x\0=C:=y\0\0D=1\0"), 0, 7); /* the first of a name counts, as for getenv() */
  CHECK(!strcmp(environ[0], "A=1") && !strcmp(environ[1], "=C:=x") && !strcmp(environ[2], "D=1") && environ[3] == NULL);
  replace(STRINGS("A=1\0"), 0, 9); /* fewer than were promised */
  CHECK(environ[0] != NULL && environ[1] == NULL && are_changes("-=C: -D "));
  replace(STRINGS("x\0"), 5, 0);
  CHECK(environ[0] == NULL && are_changes("-A "));
  environ = own;
}
