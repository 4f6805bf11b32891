/*
 * Defines jdk.crac in the boot loader, straight from a copy of crac.jar inside this library. The boot class path is not
 * touched: appending to it, at whatever time, makes HotSpot print a warning and give up the part of CDS that belongs to
 * the platform and app loaders.
 */
#include "agent.h"

#include <string.h>

/* crac.jar without compression; supertypes come before what extends them (see part.mk). */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "crac_jar: .incbin \"" CRAC_JAR "\"\n"
        "crac_jar_end: .byte 0\n"
        ".previous");
extern HIDDEN const uint8_t crac_jar[], crac_jar_end[];

#define MANAGEMENT "jdk/crac/management/"

static uint32_t read32(const uint8_t *at) {
  return (uint32_t)(at[0] | at[1] << 8 | at[2] << 16) | (uint32_t)at[3] << 24;
}
static uint32_t read16(const uint8_t *at) { return (uint32_t)(at[0] | at[1] << 8); }

/* local file header (APPNOTE 4.3.7): 18 compressed size, 26 name length, 28 extra length, 30 name, extra, content */
const char *crac_define_classes(JNIEnv *env) {
  const uint8_t *at = crac_jar;
  const bool management = crac_open_management(env);
  while (at + 30 <= crac_jar_end && read32(at) == 0x04034b50) {
    uint32_t size = read32(at + 18), name_length = read16(at + 26);
    const uint8_t *content = at + 30 + name_length + read16(at + 28);
    bool wanted = management || name_length < sizeof MANAGEMENT || memcmp(at + 30, MANAGEMENT, sizeof MANAGEMENT - 1) != 0;
    if (wanted && name_length > 6 && memcmp(at + 30 + name_length - 6, ".class", 6) == 0) {
      jclass defined = (*env)->DefineClass(env, NULL, NULL, (const jbyte *)content, (jsize)size);
      if (!defined) {
        (*env)->ExceptionDescribe(env);
        (*env)->ExceptionClear(env);
        return "the jdk.crac classes cannot be defined";
      }
      (*env)->DeleteLocalRef(env, defined);
    }
    at = content + size;
  }
  if (management)
    crac_announce_management(env);
  return NULL;
}
