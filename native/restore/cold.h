/* The way out until the threads are released: one line that says why, then the app's ordinary start by execve. */
#ifndef RESTORE_COLD_H
#define RESTORE_COLD_H

/* Reads the cold command, while the file system is as the container gave it. */
void read_cold(void);
/* Remembers what is changed on the way (descriptors 0–2, folder, umask, limit): scratch_fd+1… hold the copies. */
void remember_surroundings(unsigned scratch_fd);
/* Blocks all signals (they wait for the restored handlers) and remembers which were blocked and ignored. */
void block_signals(void);
/* Signals that were ignored when we were started, bit n-1 for signal n. */
unsigned long ignored_signals(void);

_Noreturn void start_cold(void);
/* See text.h for the forms. */
_Noreturn void give_up(const char *reason, ...);
#endif
