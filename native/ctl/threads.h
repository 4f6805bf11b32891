/* What CRIU's images do not tell of the threads of a process. */
#ifndef CTL_THREADS_H
#define CTL_THREADS_H

/*
 * Prints one line a fact, of process `pid`, which must hold still:
 *
 *   thread TID descriptors    it has a table of descriptors of its own
 *   thread TID folder         it has a current folder, root folder and umask of its own
 *   thread TID processors     it may run on other processors than this program
 *
 * Needs the right to trace the process. 0, or -1 with errno set.
 */
int print_thread_facts(long pid);
#endif
