/* First touches: recorded in one run (CRAC_RECORD=1), read ahead in all later ones. */
#ifndef RESTORE_PREFETCH_H
#define RESTORE_PREFETCH_H

/* Starts reading what PREFETCH lists, unless it lies in the page cache. Nothing here can fail a restore. */
void prefetch(void);

/*
 * For a run whose page tables are to tell which pages it touches: the kernel maps the neighbours of a touched page as
 * well (fault-around), but never beyond a mapping. So mappings of files are cut into small ones.
 */
void cut_mappings(void);
#endif
