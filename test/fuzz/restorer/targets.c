#include "targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define MOST_STRINGS 1000

static const uint8_t cold[] = "2\0/bin/app\0-jar\0app.jar";
static char *usual_strings[] = {"restore", "-Dkey=value", "argument", NULL, "CRAC_LOG=debug", "CRAC_RESTORE=require", "HOME=/", NULL};
static uint8_t *good_plan;
static size_t good_plan_size;

uint8_t *load(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) perror(path), exit(2);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(*size + 1);
  if (fread(bytes, 1, *size, file) != *size) perror(path), exit(2);
  fclose(file);
  return bytes;
}

void use_plan(const char *path) {
  good_plan = load(path, &good_plan_size);
  seal_plan(good_plan, good_plan_size);
}

/* This machine's own: between its ELF header and the last of its sections' headers. */
static struct given usual(void) {
  const uint8_t *vdso = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
  uint64_t sections_at;
  uint16_t section_size, sections;
  memcpy(&sections_at, vdso + 40, 8), memcpy(&section_size, vdso + 58, 2), memcpy(&sections, vdso + 60, 2);
  return (struct given){good_plan,     good_plan_size, cold, sizeof cold, vdso, sections_at + (size_t)section_size * sections,
                        usual_strings};
}

/* Ends where the bytes end, so that who reads on is found. */
static uint8_t *copy(const uint8_t *bytes, size_t size) {
  uint8_t *own = malloc(size);
  return size == 0 ? own : memcpy(own, bytes, size);
}

static struct outcome run_plan(const uint8_t *bytes, size_t size) {
  uint8_t *plan = copy(bytes, size);
  struct given given = usual();
  seal_plan(plan, size);
  given.plan = plan, given.plan_size = size;
  struct outcome outcome = run_restorer(&given);
  free(plan);
  return outcome;
}

static struct outcome run_vdso(const uint8_t *bytes, size_t size) {
  struct given given = usual();
  given.vdso = bytes, given.vdso_size = size;
  return run_restorer(&given);
}

/* One byte: how many of the strings are arguments, 255: there is a plan; two: size of the cold file; it; the strings. */
static struct outcome run_launch(const uint8_t *bytes, size_t size) {
  static char *strings[MOST_STRINGS + 3];
  struct given given = usual();
  if (size < 3) return (struct outcome){.how = FAILED_ITSELF};
  unsigned arguments = bytes[0] & 127, count = 0, place = 0;
  size_t cold_size = bytes[1] | (size_t)bytes[2] << 8;
  if (cold_size > size - 3) cold_size = size - 3;
  char *text = memcpy(malloc(size + 1), bytes, size);
  text[size] = 0;
  for (char *at = text + 3 + cold_size; at < text + size && count < MOST_STRINGS; at += strlen(at) + 1, count++) {
    if (count == arguments) strings[place++] = NULL;
    strings[place++] = at;
  }
  if (count <= arguments) strings[place++] = NULL;
  strings[place] = NULL;
  given.cold = bytes + 3, given.cold_size = cold_size, given.strings = strings;
  if (bytes[0] < 128) given.plan_size = 0;
  struct outcome outcome = run_restorer(&given);
  free(text);
  return outcome;
}

target find_target(const char *name) {
  if (strcmp(name, "plan") == 0) return run_plan;
  if (strcmp(name, "launch") == 0) return run_launch;
  if (strcmp(name, "vdso") == 0) return run_vdso;
  fprintf(stderr, "no target %s\n", name);
  exit(2);
}
