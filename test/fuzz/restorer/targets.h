/* What is thrown at the restorer. Each target is one start of it; what it ends in is told, and must be one of the ways out. */
#ifndef TARGETS_H
#define TARGETS_H
#include "fake-kernel.h"

/* "plan": bytes of plan.bin. "launch": a cold file, arguments and environment. "vdso": the kernel's vdso. */
typedef struct outcome (*target)(const uint8_t *bytes, size_t size);
target find_target(const char *name);

/* A whole plan, which targets other than "plan" start with. */
void use_plan(const char *path);
/* The file's bytes, to be freed. */
uint8_t *load(const char *path, size_t *size);
#endif
