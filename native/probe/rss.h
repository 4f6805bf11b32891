/* Memory of a process tree. */
#ifndef CRAC_PROBE_RSS_H
#define CRAC_PROBE_RSS_H
#include <stdint.h>
#include <sys/types.h>

/* The resident set of the largest process among `pid` and its descendants: the JVM's, whoever started it. */
int64_t largest_rss_bytes(pid_t pid);
#endif
