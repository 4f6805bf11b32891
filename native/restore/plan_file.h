/* plan.bin and mem.bin: opened, checked for being whole, and the plan mapped where its frames must lie. */
#ifndef RESTORE_PLAN_FILE_H
#define RESTORE_PLAN_FILE_H
#include "plan.h"

extern struct crac_header *plan;
extern long mem_fd;

void open_plan(const char *dir);

static inline uint32_t plan_count(enum crac_section_id id) { return plan->sections[id].count; }
static inline void *plan_records(enum crac_section_id id) { return (char *)plan + plan->sections[id].offset; }
static inline char *plan_blob(uint64_t offset) { return (char *)plan + plan->sections[CRAC_BLOB].offset + offset; }
#endif
