/* How warm the JVM is, in one line of JSON. Cheap enough to be asked several times a second. */
#include "agent.h"

#include <stdio.h>
#include <time.h>

static void print_number(char text[24], int64_t number) {
  if (number < 0)
    snprintf(text, 24, "null");
  else
    snprintf(text, 24, "%lld", (long long)number);
}

/* What is unknown (-XX:-UsePerfData, another collector) is null. */
bool crac_send_jit_facts(int connection) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int awake;
  uint64_t compiler_ns = crac_compiler_work(&awake);
  int64_t loaded = crac_sum_counters("java.cls.loadedClasses", ""), shared = crac_sum_counters("java.cls.sharedLoadedClasses", "");
  char compiled[24], classes[24], discarded[24], collections[24], collecting[24], json[320];
  print_number(compiled, crac_sum_counters("sun.ci.totalCompiles", ""));
  print_number(classes, loaded < 0 || shared < 0 ? -1 : loaded + shared);
  print_number(discarded, crac_count_discarded_code());
  print_number(collections, crac_sum_counters("sun.gc.collector.", ".invocations"));
  print_number(collecting, crac_sum_counters("sun.gc.collector.", ".time"));
  snprintf(json, sizeof json,
           "{\"atNs\":%lld,\"compilerNs\":%llu,\"awakeCompilers\":%d,\"compilations\":%s,\"discardedCode\":%s,\"loadedClasses\":%s,"
           "\"collections\":%s,\"collectionNs\":%s}",
           (long long)now.tv_sec * 1000000000 + now.tv_nsec, (unsigned long long)compiler_ns, awake, compiled, discarded, classes,
           collections, collecting);
  return crac_send_text(connection, json);
}
