/*
 * A JVM takes its options at its start, and a restored one had its start in the build. Whoever gives it others must hear that
 * they do nothing. Names alone: values may be secrets.
 */
#include "environment.h"

#include <string.h>

#define LINE_BYTES 512

static const char *const OPTIONS[] = {"-X",     "-javaagent:",     "-agentlib:",      "-agentpath:",
                                      "--add-", "--enable-native", "--enable-preview"};
static const char *const VARIABLES[] = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* With a name that does not fit, three dots end the line. */
static void add_name(char *line, const char *name, size_t length) {
  size_t used = strlen(line);
  if (used + length + sizeof ", ..." > LINE_BYTES) {
    if (strcmp(line + used - 3, "...") != 0)
      strcpy(line + used, ", ...");
    return;
  }
  if (used)
    strcpy(line + used, ", "), used += 2;
  memcpy(line + used, name, length);
  line[used + length] = 0;
}

static void add_variable(void *line, enum crac_change change, const char *variable, size_t name_length) {
  for (size_t i = 0; i < COUNT(VARIABLES); i++)
    if (change != CRAC_REMOVED && strlen(VARIABLES[i]) == name_length && memcmp(variable, VARIABLES[i], name_length) == 0 &&
        variable[name_length + 1])
      add_name(line, variable, name_length);
}

void crac_warn_of_options(const char *arguments, const char *end, uint32_t count) {
  char line[LINE_BYTES] = "";
  const char *argument = arguments;
  for (uint32_t i = 0; i < count && argument < end; i++, argument += strlen(argument) + 1)
    for (size_t option = 0; option < COUNT(OPTIONS); option++)
      if (strncmp(argument, OPTIONS[option], strlen(OPTIONS[option])) == 0)
        add_name(line, argument, strcspn(argument, "="));
  crac_each_change(add_variable, line);
  if (line[0])
    crac_warn("%s: without effect, a restored JVM has the options of its build. Build with them (app.javaOptions), or start "
              "cold with them (CRAC_RESTORE=off, options in JAVA_TOOL_OPTIONS)", line);
}
