/* C's environment of the new container, and in what it differs from the one before. */
#define _GNU_SOURCE
#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *nothing[] = {NULL};
static char **before = nothing;

static size_t name_length(const char *variable) {
  return *variable ? 1 + strcspn(variable + 1, "=") : 0; /* a name may begin with '=' */
}

static const char *find_variable(char **environment, const char *like) {
  size_t length = name_length(like);
  for (; *environment; environment++) /* an environment may be large, and the app waits */
    if (strncmp(*environment, like, length) == 0 && (*environment)[length] == '=')
      return *environment;
  return NULL;
}

/* `text`: `skipped` strings, then `count` variables. What it replaces is left alone: other threads may be reading it. */
bool crac_replace_environment(char *text, const char *end, uint32_t skipped, uint32_t count) {
  char **fresh = calloc((size_t)count + 1, sizeof *fresh);
  if (!fresh)
    return false;
  uint32_t used = 0;
  for (uint32_t i = 0; i < skipped + count && text < end; i++, text += strlen(text) + 1)
    if (i >= skipped && strchr(text, '=') && !find_variable(fresh, text))
      fresh[used++] = text;
  before = environ ? environ : nothing;
  environ = fresh;
  return true;
}

void crac_each_change(void (*tell)(void *context, enum crac_change change, const char *variable, size_t name_length),
                      void *context) {
  for (char **variable = environ; *variable; variable++) {
    const char *old = find_variable(before, *variable);
    if (!old || strcmp(old, *variable) != 0)
      tell(context, old ? CRAC_CHANGED : CRAC_ADDED, *variable, name_length(*variable));
  }
  for (char **variable = before; *variable; variable++)
    if (!find_variable(environ, *variable))
      tell(context, CRAC_REMOVED, *variable, name_length(*variable));
}
