/*
 * pages.node: what src/restore-plan/page-scanner.ts does in JavaScript, for the same arguments with the same results.
 *
 *   findZeroPages(bytes, verdicts)           verdicts[i] = page i of bytes is all zero
 *   findEqualPages(bytes, others, verdicts)  verdicts[i] = page i of bytes is page i of others
 *   findWords(bytes, wanted)                 offsets of the aligned words that are in `wanted`, which is sorted
 *   copyRange(from, at, to, at, length)      bytes copied by the kernel itself; fewer where it does not know how
 *
 * Plain Node-API, version 6 (the first with 64-bit integers): one binary for every Node.js.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 6
#include <node_api.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 4096

static napi_value refuse(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* A view of Uint8Array (which a Buffer is) or BigUint64Array. */
static bool read_array(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool is_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_array) == napi_ok && is_array &&
         napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted;
}

/* Four words at a time, which the compiler makes vectors of; most pages end in the first round. */
static bool is_zero_page(const uint8_t *page) {
  uint64_t words[4];
  for (size_t at = 0; at < PAGE_BYTES; at += sizeof words) {
    memcpy(words, page + at, sizeof words);
    if (words[0] | words[1] | words[2] | words[3]) return false;
  }
  return true;
}

static napi_value find_zero_pages(napi_env env, napi_callback_info info) {
  size_t count = 2, size, verdict_count;
  napi_value arguments[2];
  uint8_t *bytes, *verdicts;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 2 ||
      !read_array(env, arguments[0], napi_uint8_array, (void **)&bytes, &size) ||
      !read_array(env, arguments[1], napi_uint8_array, (void **)&verdicts, &verdict_count) ||
      size % PAGE_BYTES || verdict_count < size / PAGE_BYTES)
    return refuse(env, "findZeroPages(pages, verdicts): whole pages, and a verdict for each");
  for (size_t page = 0; page < size / PAGE_BYTES; page++) verdicts[page] = is_zero_page(bytes + page * PAGE_BYTES);
  return NULL;
}

static napi_value find_equal_pages(napi_env env, napi_callback_info info) {
  size_t count = 3, size, other_size, verdict_count;
  napi_value arguments[3];
  uint8_t *bytes, *others, *verdicts;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 3 ||
      !read_array(env, arguments[0], napi_uint8_array, (void **)&bytes, &size) ||
      !read_array(env, arguments[1], napi_uint8_array, (void **)&others, &other_size) ||
      !read_array(env, arguments[2], napi_uint8_array, (void **)&verdicts, &verdict_count) ||
      size % PAGE_BYTES || other_size != size || verdict_count < size / PAGE_BYTES)
    return refuse(env, "findEqualPages(pages, others, verdicts): whole pages, as many others, and a verdict for each");
  for (size_t page = 0; page < size / PAGE_BYTES; page++)
    verdicts[page] = memcmp(bytes + page * PAGE_BYTES, others + page * PAGE_BYTES, PAGE_BYTES) == 0;
  return NULL;
}

static bool contains(const uint64_t *sorted, size_t count, uint64_t word) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (sorted[middle] < word) low = middle + 1;
    else high = middle;
  }
  return low < count && sorted[low] == word;
}

static napi_value find_words(napi_env env, napi_callback_info info) {
  size_t argument_count = 2, size, count;
  napi_value arguments[2], found, offset;
  uint8_t *bytes;
  uint64_t *wanted;
  if (napi_get_cb_info(env, info, &argument_count, arguments, NULL, NULL) != napi_ok || argument_count != 2 ||
      !read_array(env, arguments[0], napi_uint8_array, (void **)&bytes, &size) ||
      !read_array(env, arguments[1], napi_biguint64_array, (void **)&wanted, &count) || size % sizeof *wanted)
    return refuse(env, "findWords(words, wanted): whole words, and a sorted BigUint64Array");
  if (napi_create_array(env, &found) != napi_ok) return NULL;
  uint64_t least = count ? wanted[0] : 0, span = count ? wanted[count - 1] - least : 0;
  uint32_t hits = 0;
  for (size_t at = 0; count && at < size; at += sizeof *wanted) {
    uint64_t word;
    memcpy(&word, bytes + at, sizeof word);
    if (word - least > span || !contains(wanted, count, word)) continue;
    if (napi_create_int64(env, (int64_t)at, &offset) != napi_ok || napi_set_element(env, found, hits++, offset) != napi_ok)
      return NULL;
  }
  return found;
}

static napi_value copy_range(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5], result;
  int32_t from, to;
  int64_t from_offset, to_offset, length, done = 0;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count != 5 ||
      napi_get_value_int32(env, arguments[0], &from) != napi_ok || napi_get_value_int64(env, arguments[1], &from_offset) != napi_ok ||
      napi_get_value_int32(env, arguments[2], &to) != napi_ok || napi_get_value_int64(env, arguments[3], &to_offset) != napi_ok ||
      napi_get_value_int64(env, arguments[4], &length) != napi_ok)
    return refuse(env, "copyRange(from, fromOffset, to, toOffset, length): five numbers");
  while (done < length) {
    off_t from_at = from_offset + done, to_at = to_offset + done;
    ssize_t copied = copy_file_range(from, &from_at, to, &to_at, (size_t)(length - done), 0);
    if (copied <= 0) break; /* the caller goes on by itself, and meets the error if it is a lasting one */
    done += copied;
  }
  return napi_create_int64(env, done, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
    {"findZeroPages", NULL, find_zero_pages, NULL, NULL, NULL, napi_enumerable, NULL},
    {"findEqualPages", NULL, find_equal_pages, NULL, NULL, NULL, napi_enumerable, NULL},
    {"findWords", NULL, find_words, NULL, NULL, NULL, napi_enumerable, NULL},
    {"copyRange", NULL, copy_range, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
