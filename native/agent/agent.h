/* libcrac.so: what runs inside the JVM. Each function is explained where it is defined. */
#ifndef CRAC_AGENT_H
#define CRAC_AGENT_H
#include <jni.h>
#include <jvmti.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* New systems give these functions new versions; the old ones are in every glibc. */
#if defined(__x86_64__)
#define CRAC_OLD_SYMBOL(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
#else
#define CRAC_OLD_SYMBOL(name) __asm__(".symver " #name "," #name "@GLIBC_2.17")
#endif

#define HIDDEN __attribute__((visibility("hidden")))

/* agent.c */
extern HIDDEN JavaVM *crac_vm;
extern HIDDEN jvmtiEnv *crac_jvmti;
/* Why no checkpoint can be taken: "off", a sentence, or NULL. */
extern HIDDEN const char *crac_obstacle;
HIDDEN void *crac_jvm_symbol(const char *name);
HIDDEN jclass crac_find_boot_class(JNIEnv *env, const char *name);
HIDDEN void crac_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* nano_time.c */
extern HIDDEN volatile int64_t crac_nano_offset;
HIDDEN int64_t crac_nano_time(void);
HIDDEN const char *crac_redirect_nano_time(JNIEnv *env);

/* boot_classes.c */
HIDDEN const char *crac_define_classes(JNIEnv *env);

/* class_edits.c */
HIDDEN void crac_prepare_class_edits(void);
HIDDEN void crac_edit_classes(JNIEnv *env);

/* addresses.c */
HIDDEN void crac_forget_addresses(JNIEnv *env);

/* generators.c */
HIDDEN void crac_find_generators(JNIEnv *env);
HIDDEN int crac_reseed_generators(JNIEnv *env);
HIDDEN void crac_forget_generators(JNIEnv *env);

/* timers.c */
HIDDEN void crac_found_timer_task_class(JNIEnv *env, jclass class);
HIDDEN void crac_found_timer_queue_class(JNIEnv *env, jclass class);
HIDDEN void crac_found_timer_queue(JNIEnv *env, jobject queue);
HIDDEN void crac_move_timers(JNIEnv *env);
HIDDEN void crac_forget_timers(JNIEnv *env);

/* perf_data.c */
HIDDEN void crac_prepare_perf_data(void);
HIDDEN void crac_show_perf_data(void);
HIDDEN void crac_show_perf_data_soon(void);
HIDDEN void crac_show_wanted_perf_data(void);
HIDDEN bool crac_hide_perf_data(void);
HIDDEN bool crac_find_counters(char **start, size_t *capacity);

/* perf_counters.c */
HIDDEN int64_t crac_sum_counters(const char *begin, const char *end);

/* discarded_code.c */
HIDDEN int64_t crac_count_discarded_code(void);

/* jit_facts.c */
HIDDEN bool crac_send_jit_facts(int connection);

/* take_over.c */
struct crac_mailbox;
HIDDEN void crac_take_over(JNIEnv *env, const struct crac_mailbox *mailbox);

/* late_options.c */
HIDDEN void crac_warn_of_options(const char *arguments, const char *end, uint32_t count);

/* attach_file.c */
HIDDEN void crac_remove_stale_attach_file(void);

/* management.c */
HIDDEN bool crac_open_management(JNIEnv *env);
HIDDEN void crac_announce_management(JNIEnv *env);

/* vm_structs.c */
struct crac_field {
  uint64_t offset;
  void *address; /* of a static field */
};
HIDDEN bool crac_find_field(const char *type, const char *field, struct crac_field *found);
HIDDEN void *crac_find_vm_flag(const char *name);
HIDDEN bool crac_vm_flag(const char *name); /* a bool flag of HotSpot; false when there is none */
HIDDEN uint64_t crac_vm_number(const char *name); /* a size_t flag; 0 when there is none */
HIDDEN uint64_t crac_type_size(const char *type);  /* 0 when there is none */

/* heap_drop.c */
HIDDEN const char *crac_collector(void);
/* What the last drop did. */
struct crac_drop {
  uint64_t bytes, nanoseconds;
  const char *obstacle; /* why it did nothing, or NULL */
};
HIDDEN struct crac_drop crac_collect(bool drop_free_heap);

/* compaction.c */
HIDDEN void crac_compact_all(void);
HIDDEN void crac_compact_as_before(void);

/* resident.c */
HIDDEN uint64_t crac_resident_bytes(void);

/* kept_libraries.c */
HIDDEN void crac_keep_libraries(JNIEnv *env);

/* heap_pages.c */
HIDDEN void crac_find_mapped_pages(void);
HIDDEN void crac_drop_pages(uint64_t from, uint64_t to);

/* jvm_memory.c */
HIDDEN void crac_find_metadata(void);

/* code_barriers.c */
HIDDEN void crac_pass_code_barriers(void);

/* jit_idle.c */
HIDDEN bool crac_await_idle_compilers(int limit_ms);
HIDDEN uint64_t crac_compiler_work(int *awake);

/* thread.c */
HIDDEN bool crac_start_thread(pthread_t *thread, void *(*run)(void *argument), void *argument);

/* channel.c */
HIDDEN const char *crac_start_channel(void);
HIDDEN void crac_close_channel(void);
HIDDEN void crac_open_channel(void);
HIDDEN bool crac_has_gone(int connection);
HIDDEN bool crac_send_text(int connection, const char *text);
#endif
