/* What the container gave and a restore changes on its way, so that a cold start finds it as it was. */
#ifndef RESTORE_SURROUNDINGS_H
#define RESTORE_SURROUNDINGS_H

/* Blocks all signals but page faults (they wait for the restored handlers) and remembers which were blocked and ignored. */
void block_signals(void);
/* Bit n-1 for signal n. */
unsigned long ignored_signals(void);
/* Remembers descriptors 0–2, folder and umask; scratch_fd+1… hold the copies. */
void remember_surroundings(unsigned scratch_fd);

/* For a line on stderr, when descriptor 2 may be the app's already. */
void put_back_stderr(void);

/* Of the thread that restores: descriptors, folder, umask. All return 0 or a negative errno. */
long put_back_surroundings(void);
/* Of the process, whichever thread calls: limits, and how signals are handled. */
long put_back_process(void);
/* Last: from here on signals arrive. */
long unblock_signals(void);
#endif
