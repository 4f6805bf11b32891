/* Whether everything that a plan refers to is there: decided before anything irreversible. */
#ifndef RESTORE_PLAN_CHECK_H
#define RESTORE_PLAN_CHECK_H

/* Gives up where a record points out of the plan, out of mem.bin, or out of the memory that the plan makes. */
void check_plan_records(void);
#endif
