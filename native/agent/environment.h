#ifndef CRAC_ENVIRONMENT_H
#define CRAC_ENVIRONMENT_H
#include "agent.h"

enum crac_change { CRAC_ADDED = '+', CRAC_CHANGED = '~', CRAC_REMOVED = '-' };

HIDDEN bool crac_replace_environment(char *text, const char *end, uint32_t skipped, uint32_t count);
/* By what the last replacement changed; `variable` is NAME=value. */
HIDDEN void crac_each_change(void (*tell)(void *context, enum crac_change change, const char *variable, size_t name_length),
                             void *context);
#endif
