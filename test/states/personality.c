/*
 * a personality that changes what system calls do
 * refused: process: its personality was changed. Start the app without setarch, and do not call personality()
 */
#include <sys/personality.h>

#include "state.h"

int main(void) {
  need(personality(READ_IMPLIES_EXEC) != -1);
  await_restore();
}
