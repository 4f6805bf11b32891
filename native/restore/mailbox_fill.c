#include "mailbox_fill.h"

#include "clock.h"
#include "cold.h"
#include "launch.h"
#include "mailbox.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"
#include "threads.h"

#define REALTIME 0

static struct crac_mailbox *mailbox(void) { return (struct crac_mailbox *)plan->mailbox; }

void check_mailbox_size(void) {
  if (plan->mailbox != 0 && sizeof(struct crac_mailbox) + launch.string_bytes > plan->mailbox_size)
    give_up("arguments and environment are too large to be handed over (%u bytes)", launch.string_bytes);
}

static char *deliver(char *at, const char *text) {
  size_t size = strlen(text) + 1;
  return (char *)memcpy(at, text, size) + size;
}

void fill_mailbox(void) {
  struct crac_mailbox *box = mailbox();
  if (box == NULL) return;
  if (box->magic != CRAC_MAILBOX_MAGIC || box->version != CRAC_MAILBOX_VERSION || box->nonce != plan->mailbox_nonce)
    give_up("the app's mailbox is not at %x", plan->mailbox);
  char *at = box->data;
  box->argc = launch.argc == 0 ? 0 : launch.argc - 1;
  for (uint32_t i = 1; i < launch.argc; i++) at = deliver(at, launch.argv[i]);
  box->envc = launch.envc;
  for (uint32_t i = 0; i < launch.envc; i++) at = deliver(at, launch.env[i]);
  box->data_size = (uint32_t)(at - box->data);
  box->clock_delta_ns = clock_delta_ns();
  box->restore_started_ns = launch.started_ns;
  long pid = call(getpid);
  if (is_error(pid)) give_up("the process's id cannot be read: %e", pid);
  box->pid = (uint32_t)pid;
  box->gate = (uint64_t)held_gate();
  box->state = CRAC_RESTORED;
}

void stamp_mailbox(void) {
  if (plan->mailbox != 0) mailbox()->restore_released_ns = read_clock_ns(REALTIME);
}
