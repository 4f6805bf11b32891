/* What libcrac's parts find around them when no JVM is there: tables of HotSpot, JNI and JVMTI, all made up. */
#ifndef MADE_UP_H
#define MADE_UP_H
#define _GNU_SOURCE
#include "../../../native/agent/agent.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
  do { \
    if (!(condition)) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1); \
  } while (0)

/* agent.h gives functions the version of an old glibc, which the sanitizers do not watch. */
#undef CRAC_OLD_SYMBOL
#define CRAC_OLD_SYMBOL(name) extern int crac_version_of_##name

/* Tables as HotSpot exports them, each in a block of memory of just its size. */
void forget_tables(void);
void add_field(const char *type, const char *field, uint64_t offset, void *address);
void add_type(const char *name, uint64_t size);
void hide_symbol(const char *name);

/* A number that looks random; the same ones in each run. */
uint32_t next_random(void);

void test_tables(void);
void test_heap_walk(void);
void test_heap_pages(void);
void test_channel(void);
void test_user_name(void);
void test_counters(void);
void test_heap_search(void);
void test_environment(void);
void test_jit_facts(void);
#endif
