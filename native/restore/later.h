/* What the app needs soon, but not for its first answer. */
#ifndef CRAC_LATER_H
#define CRAC_LATER_H

void start_later(void);
#endif
