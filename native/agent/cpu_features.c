/*
 * What the JVM and the C library chose by when they looked at the CPU: their code is in the checkpoint, so the CPU of
 * the restore must have it. HotSpot keeps its choice in VM_Version::_features, less what -XX:UseAVX and the like took
 * away, and names the bits among the constants for debuggers: up to JDK 24 as masks of one word, since JDK 25 as places
 * in a bitmap. glibc tells its own since 2.33, less what GLIBC_TUNABLES took away.
 */
#define _GNU_SOURCE
#include "agent.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CRAC_OLD_SYMBOL(dlsym);

#define PREFIX "VM_Version::CPU_"

static uint64_t constant_number(const char *name) {
  uint64_t *number = crac_jvm_symbol(name);
  return number ? *number : 0;
}

struct features {
  const uint64_t *words;
  uint64_t count;
  bool is_bitmap;
};

static bool find_features(struct features *found) {
  struct crac_field features, bitmap, size;
  if (crac_find_field("VM_Version", "_features", &features) &&
      crac_find_field("VM_Version::VM_Features", "_features_bitmap[0]", &bitmap) &&
      crac_find_field("VM_Version::VM_Features", "_features_bitmap_size", &size)) {
    found->words = (const uint64_t *)((char *)features.address + bitmap.offset);
    found->count = (uint64_t)*(int *)size.address;
    found->is_bitmap = true;
    return true;
  }
  if (!crac_find_field("Abstract_VM_Version", "_features", &features))
    return false;
  *found = (struct features){.words = features.address, .count = 1};
  return true;
}

static uint64_t count_bits(const struct features *features) {
  uint64_t bits = 0;
  for (uint64_t i = 0; i < features->count; i++)
    bits += (uint64_t)__builtin_popcountll(features->words[i]);
  return bits;
}

static bool has_feature(const struct features *features, uint64_t value) {
  if (!features->is_bitmap)
    return features->words[0] & value;
  return value / 64 < features->count && features->words[value / 64] >> (value % 64) & 1;
}

/* Returns how many of the features have a name; prints them when `out` is not NULL. */
static uint64_t list_named(const struct features *features, FILE *out) {
  char **table = crac_jvm_symbol("gHotSpotVMLongConstants");
  uint64_t stride = constant_number("gHotSpotVMLongConstantEntryArrayStride");
  uint64_t name_at = constant_number("gHotSpotVMLongConstantEntryNameOffset");
  uint64_t value_at = constant_number("gHotSpotVMLongConstantEntryValueOffset");
  uint64_t named = 0;
  if (!table || !stride)
    return 0;
  for (char *entry = *table; *(char **)(entry + name_at); entry += stride) {
    const char *name = *(char **)(entry + name_at);
    if (strncmp(name, PREFIX, strlen(PREFIX)) || !has_feature(features, *(uint64_t *)(entry + value_at)))
      continue;
    if (out)
      fprintf(out, "%s\"%s\"", named == 0 ? "" : ",", name + strlen(PREFIX));
    named++;
  }
  return named;
}

/* A JSON list of names, or null when it would not be the whole truth. */
static void print_jvm(FILE *out) {
  struct features features;
  if (!find_features(&features) || list_named(&features, NULL) != count_bits(&features)) {
    fputs("null", out);
    return;
  }
  fputc('[', out);
  list_named(&features, out);
  fputc(']', out);
}

/* https://sourceware.org/glibc/manual/latest/html_node/X86.html; the numbers of the leaves are part of its interface. */
struct cpuid_feature {
  uint32_t cpuid[4], active[4];
};
static const struct {
  unsigned number;
  uint32_t leaf, subleaf;
} glibc_leaves[] = {{0, 1, 0}, {1, 7, 0}, {2, 0x80000001, 0}, {3, 0xd, 1}};

/* A JSON list of cpuid leaves as glibc took them, or null. */
static void print_libc(FILE *out) {
  const struct cpuid_feature *(*find)(unsigned) =
      (const struct cpuid_feature *(*)(unsigned))dlsym(RTLD_DEFAULT, "__x86_get_cpuid_feature_leaf");
  if (!find) {
    fputs("null", out);
    return;
  }
  for (size_t i = 0; i < sizeof glibc_leaves / sizeof *glibc_leaves; i++) {
    const uint32_t *active = find(glibc_leaves[i].number)->active;
    fprintf(out, "%s{\"leaf\":%u,\"subleaf\":%u,\"registers\":[%u,%u,%u,%u]}", i == 0 ? "[" : ",", glibc_leaves[i].leaf,
            glibc_leaves[i].subleaf, active[0], active[1], active[2], active[3]);
  }
  fputc(']', out);
}

JNIEXPORT jstring JNICALL Java_jdk_crac_impl_Native_cpuFeatures(JNIEnv *env, jclass self) {
  (void)self;
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (!out)
    return (*env)->NewStringUTF(env, "{\"jvm\":null,\"libc\":null}");
  fputs("{\"jvm\":", out);
  print_jvm(out);
  fputs(",\"libc\":", out);
  print_libc(out);
  fputc('}', out);
  fclose(out);
  jstring json = (*env)->NewStringUTF(env, text);
  free(text);
  return json;
}
