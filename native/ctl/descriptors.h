/* What CRIU's images do not tell of the descriptors of a process. */
#ifndef CTL_DESCRIPTORS_H
#define CTL_DESCRIPTORS_H

/*
 * Prints one line a fact, of process `pid`, which must hold still:
 *
 *   option FD LEVEL NAME HEX    a socket's option that differs from that of a new socket; HEX: the bytes of its value
 *   member FD ADDRESS           the socket is a member of this multicast group
 *   semaphore FD                an eventfd that counts down by one
 *
 * Needs the right to trace the process. 0, or -1 with errno set.
 */
int print_descriptor_facts(long pid);
#endif
