/* Making single descriptors as their FDS record says. Whatever fails gives up. */
#ifndef RESTORE_MAKE_DESCRIPTOR_H
#define RESTORE_MAKE_DESCRIPTOR_H
#include "plan.h"

/* descriptors.c */

/* The status flags, then the number. */
void place(long fd, uint32_t to, uint32_t flags, uint32_t fd_flags);
/* Gives up when fd is an error: "WHAT (descriptor 7) cannot be made: …". */
long checked(const struct crac_fd *wanted, const char *what, long fd);

/* pipes.c */

void make_pipe(const struct crac_fd *wanted);
/* Both ends first go above everything, so that placing one cannot hit the other. */
void lift(int pair[2]);
/* pair[0] becomes wanted->fd, pair[1] wanted->a; what is CRAC_NONE is closed. */
void place_pair(const struct crac_fd *wanted, int pair[2]);

/* files.c */
long open_file(const struct crac_fd *wanted);

/* counters.c */
long make_eventfd(const struct crac_fd *wanted);
long make_timerfd(const struct crac_fd *wanted);

/* sockets.c */
long make_socket(const struct crac_fd *wanted);
void set_options(long fd, const struct crac_socket *socket);

/* unix_pairs.c */
void make_unix_pair(const struct crac_fd *wanted);
long make_dead(const struct crac_fd *wanted);
#endif
