/* What a process has touched of its memory. */
#ifndef CTL_TOUCHED_H
#define CTL_TOUCHED_H

/*
 * Prints {"touched":[{"path":"/opt/…","runs":[[OFFSET,LENGTH],…]},…],"written":[[ADDRESS,LENGTH],…]}, in bytes: what process
 * `pid` has touched of the files that it maps, one entry a mapping, and what it has written to of its private memory.
 * The former is exact to the page only when the kernel could not map neighbours (CRAC_RECORD=1, restore).
 * 0, or -1 with errno set and nothing printed.
 */
int print_touched(long pid);
#endif
