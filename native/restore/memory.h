#ifndef RESTORE_MEMORY_H
#define RESTORE_MEMORY_H
/* Executes the MEM section: the whole address space of the restored process. */
void map_memory(void);
#endif
