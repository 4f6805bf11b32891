/* Where the Java heap is reserved: memory that HotSpot gives back only by mapping anew. */
#define _GNU_SOURCE
#include "agent.h"

#include <stdio.h>

/* JSON; "null" when this JVM does not describe its heap in the way that is known. */
JNIEXPORT jstring JNICALL Java_jdk_crac_impl_Checkpoint_heapRange(JNIEnv *env, jclass self) {
  (void)self;
  struct crac_field heap, reserved, start, words;
  char json[96] = "null";
  if (crac_find_field("Universe", "_collectedHeap", &heap) && heap.address && *(char **)heap.address &&
      crac_find_field("CollectedHeap", "_reserved", &reserved) && crac_find_field("MemRegion", "_start", &start) &&
      crac_find_field("MemRegion", "_word_size", &words)) {
    char *region = *(char **)heap.address + reserved.offset;
    snprintf(json, sizeof json, "{\"address\":\"0x%llx\",\"sizeBytes\":%llu}",
             (unsigned long long)*(uint64_t *)(region + start.offset),
             (unsigned long long)*(uint64_t *)(region + words.offset) * sizeof(void *));
  }
  return (*env)->NewStringUTF(env, json);
}
