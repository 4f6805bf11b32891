/* The app's ordinary start, as the image has it. */
#ifndef RESTORE_COLD_COMMAND_H
#define RESTORE_COLD_COMMAND_H
#include <stddef.h>

/* Reads it while the file system is as the container gave it. */
void read_cold_command(void);

/* With the container's arguments; reads it if need be. NULL, and the reason in words, when there is none. */
char **compose_cold_command(char *reason, size_t size);
#endif
