/* What a process has touched of the files that it maps. */
#ifndef CTL_TOUCHED_H
#define CTL_TOUCHED_H

/*
 * Prints {"touched":[{"path":"/opt/…","runs":[[OFFSET,LENGTH],…]},…]}, in bytes, one entry a mapping, for the mappings of
 * files of process `pid`. Exact to the page only when the kernel could not map neighbours (CRAC_RECORD=1, restore).
 * 0, or -1 with errno set and nothing printed.
 */
int print_touched(long pid);
#endif
