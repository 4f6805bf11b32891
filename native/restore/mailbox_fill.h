#ifndef RESTORE_MAILBOX_FILL_H
#define RESTORE_MAILBOX_FILL_H
/* Gives up when the new arguments and environment do not fit. */
void check_mailbox_size(void);
void fill_mailbox(void);
void stamp_mailbox(void); /* the time when the threads are let go */
#endif
