/* File descriptors: the ones of the restored process, and keeping ours out of their way. */
#ifndef RESTORE_DESCRIPTORS_H
#define RESTORE_DESCRIPTORS_H
#include <stdint.h>

/* close_descriptors.c: close_range, also where the kernel or a seccomp profile does not know it. */
void close_descriptors(uint32_t first, uint32_t last);
/* Moves fd to `to`; flags: O_CLOEXEC or 0. */
void move_descriptor(long fd, uint32_t to, int flags);

/* Above all descriptors of the process: mem.bin, then what remember_surroundings() keeps. Closes all others from 3 on. */
void stage_descriptors(void);
/* 0 or a negative errno. */
long put_back_descriptor_limit(void);

void make_descriptors(void);
/* sockets.c: the files of unix sockets that make_descriptors() has made; any thread may call it. */
void remove_bound_paths(void);
/* The process's own; what it has beyond stays open. */
void set_descriptor_limit(void);
void close_scratch(void);
#endif
