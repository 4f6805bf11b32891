/*
 * HotSpot's performance counters, as jstat reads them from its file, here from memory. Version 2.0 of the format, as
 * in every JDK so far (share/runtime/perfMemory.hpp): a prologue, then entries of different lengths.
 */
#include "agent.h"

#include <string.h>

#define MAGIC 0xcafec0c0u
#define LONG 'J'

struct prologue {
  uint32_t magic;
  uint8_t byte_order, major, minor, accessible;
  int32_t used, overflow;
  int64_t changed;
  int32_t first_entry, entry_count;
};

struct entry {
  int32_t length, name, vector_length;
  uint8_t type, flags, unit, variability;
  int32_t data;
};

/* In the file's own byte order the magic reads backwards on x86. */
static bool is_known(const struct prologue *prologue) {
  return (prologue->magic == MAGIC || prologue->magic == __builtin_bswap32(MAGIC)) && prologue->major == 2;
}

static bool matches(const char *name, const char *begin, const char *end) {
  size_t length = strlen(name), end_length = strlen(end);
  return strncmp(name, begin, strlen(begin)) == 0 && length >= end_length && strcmp(name + length - end_length, end) == 0;
}

/* Where the value of a whole number lies that has such a name; or NULL. */
static const char *find_value(const char *start, const struct entry *entry, const char *begin, const char *end) {
  const char *text = start + entry->name;
  bool is_whole = entry->name >= (int32_t)sizeof *entry && entry->name < entry->length && entry->data >= (int32_t)sizeof *entry &&
                  entry->data <= entry->length - (int32_t)sizeof(int64_t) && memchr(text, 0, (size_t)(entry->length - entry->name));
  return is_whole && entry->type == LONG && entry->vector_length == 0 && matches(text, begin, end) ? start + entry->data : NULL;
}

/* The sum of all whole numbers whose names begin and end so; -1 when there is none. */
int64_t crac_sum_counters(const char *begin, const char *end) {
  char *start;
  size_t capacity;
  if (!crac_find_counters(&start, &capacity) || capacity < sizeof(struct prologue))
    return -1;
  const struct prologue *prologue = (const struct prologue *)start;
  if (!is_known(prologue) || prologue->first_entry < (int32_t)sizeof *prologue)
    return -1;
  int64_t sum = 0;
  bool found = false;
  size_t at = (size_t)prologue->first_entry;
  for (int32_t left = prologue->entry_count; left > 0 && at % 8 == 0 && at + sizeof(struct entry) < capacity; left--) {
    const struct entry *entry = (const struct entry *)(start + at);
    if (entry->length < (int32_t)sizeof *entry || at + (size_t)entry->length > capacity)
      break;
    const char *value = find_value(start + at, entry, begin, end);
    int64_t number = 0;
    if (value)
      memcpy(&number, value, sizeof number);
    sum = (int64_t)((uint64_t)sum + (uint64_t)number);
    found |= value != NULL;
    at += (size_t)entry->length;
  }
  return found ? sum : -1;
}
