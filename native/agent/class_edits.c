/*
 * Puts calls of jdk.crac.impl.Seeds and Openers into classes of the JDK, once, at the start, by retransforming them:
 *
 *   java.util.Random.<init>()                            at the end        seed = Seeds.replaceState(seed)
 *   java.util.Random.setSeed(long)                       at the end        Seeds.setSeed(seed)
 *   sun.security.provider.SecureRandom.engineSetSeed     at the beginning  Seeds.setSeed(this, state)
 *   java.io.FileDescriptor.<init>()                      at the end        Openers.opened(this), only when asked for
 *
 * A class file (JVMS 4.1): magic, version | constants | access, this, super, interfaces | fields | methods | attributes.
 * Constants are appended; the code grows at its beginning or before its last `return`. A class that is not built as
 * expected stays as it is: its generators are then not told apart, and keep their sequences.
 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

enum { UTF8 = 1, CLASS = 7, FIELDREF = 9, METHODREF = 10, NAME_AND_TYPE = 12 };
enum { ALOAD_0 = 0x2a, RETURN = 0xb1, GETFIELD = 0xb4, PUTFIELD = 0xb5, INVOKESTATIC = 0xb8 };
#define SEEDS "jdk/crac/impl/Seeds"
#define OPENERS "jdk/crac/impl/Openers"
#define ADDED_CONSTANTS 10
#define ADDED_STACK 2
#define MAX_ADDED_CODE 16

struct edit {
  const char *class_name, *method, *method_type;
  const char *field, *field_type, *call, *call_type;
  bool at_beginning, passes_this, stores, passes_only_this;
};
#define FILE_DESCRIPTOR "java/io/FileDescriptor"
#define ATOMIC_LONG "Ljava/util/concurrent/atomic/AtomicLong;"
static const struct edit EDITS[] = {
    {"java/util/Random", "<init>", "()V", "seed", ATOMIC_LONG, "replaceState", "(" ATOMIC_LONG ")" ATOMIC_LONG, false, false, true, false},
    {"java/util/Random", "setSeed", "(J)V", "seed", ATOMIC_LONG, "setSeed", "(" ATOMIC_LONG ")V", false, false, false, false},
    {"sun/security/provider/SecureRandom", "engineSetSeed", "([B)V", "state", "[B", "setSeed",
     "(Ljava/security/SecureRandomSpi;[B)V", true, true, false, false},
    {FILE_DESCRIPTOR, "<init>", "()V", "fd", "I", "opened", "(L" FILE_DESCRIPTOR ";)V", false, false, false, true},
};
#define EDIT_COUNT (sizeof EDITS / sizeof *EDITS)

struct bytes {
  uint8_t *at;
  uint32_t size, capacity;
};

static uint32_t read16(const uint8_t *at) { return (uint32_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return read16(at) << 16 | read16(at + 2); }
static void set16(uint8_t *at, uint32_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static void set32(uint8_t *at, uint32_t value) { set16(at, value >> 16), set16(at + 2, value & 0xffff); }

static void put(struct bytes *out, const void *data, uint32_t size) {
  if (out->size + size <= out->capacity)
    memcpy(out->at + out->size, data, size);
  out->size += size;
}
static void put8(struct bytes *out, uint32_t value) { put(out, &(uint8_t){(uint8_t)value}, 1); }
static void put16(struct bytes *out, uint32_t value) { put8(out, value >> 8), put8(out, value & 0xff); }
static void put_text(struct bytes *out, const char *text) {
  put8(out, UTF8);
  put16(out, (uint32_t)strlen(text));
  put(out, text, (uint32_t)strlen(text));
}
static void put_pair(struct bytes *out, uint32_t tag, uint32_t first, uint32_t second) {
  put8(out, tag);
  put16(out, first);
  put16(out, second);
}

/* JVMS 4.4: bytes after the tag, by tag; 0: not known here. Longs and doubles take two indices. */
static uint32_t constant_size(const uint8_t *constant) {
  static const uint8_t sizes[] = {0, 0, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};
  if (constant[0] == UTF8)
    return 3 + read16(constant + 1);
  return constant[0] < sizeof sizes && sizes[constant[0]] ? 1u + sizes[constant[0]] : 0;
}

/* Start of constant `index`, or the end of the constants for index == count. */
static const uint8_t *find_constant(const uint8_t *class_file, uint32_t index) {
  const uint8_t *at = class_file + 10;
  for (uint32_t i = 1; i < index; i += at[0] == 5 || at[0] == 6 ? 2 : 1, at += constant_size(at))
    if (!constant_size(at))
      return NULL;
  return at;
}

static bool is_text(const uint8_t *class_file, uint32_t index, const char *text) {
  const uint8_t *constant = find_constant(class_file, index);
  return constant && constant[0] == UTF8 && read16(constant + 1) == strlen(text) &&
         memcmp(constant + 3, text, strlen(text)) == 0;
}

/* attribute: name (2), length (4), content */
static const uint8_t *skip_attributes(const uint8_t *at) {
  uint32_t count = read16(at);
  for (at += 2; count > 0; count--)
    at += 6 + read32(at + 2);
  return at;
}

/* Fields and methods: access, name, type, attributes. Returns the Code attribute of the method. */
static const uint8_t *find_code(const uint8_t *class_file, const uint8_t *constants_end, const struct edit *edit) {
  const uint8_t *at = constants_end + 8 + 2 * read16(constants_end + 6);
  for (int table = 0; table < 2; table++) {
    uint32_t count = read16(at);
    for (at += 2; count > 0; count--, at = skip_attributes(at + 6)) {
      if (table == 0 || !is_text(class_file, read16(at + 2), edit->method) || !is_text(class_file, read16(at + 4), edit->method_type))
        continue;
      uint32_t attributes = read16(at + 6);
      for (const uint8_t *attribute = at + 8; attributes > 0; attributes--, attribute += 6 + read32(attribute + 2))
        if (is_text(class_file, read16(attribute), "Code"))
          return attribute;
    }
  }
  return NULL;
}

/* Constants first to first + 9; the field's reference is number 3, the method's number 9. */
static void put_constants(struct bytes *out, const struct edit *edit, uint32_t first, uint32_t this_class) {
  put_text(out, edit->field);
  put_text(out, edit->field_type);
  put_pair(out, NAME_AND_TYPE, first, first + 1);
  put_pair(out, FIELDREF, this_class, first + 2);
  put_text(out, edit->passes_only_this ? OPENERS : SEEDS);
  put8(out, CLASS);
  put16(out, first + 4);
  put_text(out, edit->call);
  put_text(out, edit->call_type);
  put_pair(out, NAME_AND_TYPE, first + 6, first + 7);
  put_pair(out, METHODREF, first + 5, first + 8);
}

static uint32_t compose_code(uint8_t code[MAX_ADDED_CODE], const struct edit *edit, uint32_t first) {
  struct bytes out = {code, 0, MAX_ADDED_CODE};
  if (edit->passes_this || edit->stores)
    put8(&out, ALOAD_0);
  put8(&out, ALOAD_0);
  if (!edit->passes_only_this)
    put8(&out, GETFIELD), put16(&out, first + 3);
  put8(&out, INVOKESTATIC), put16(&out, first + 9);
  if (edit->stores)
    put8(&out, PUTFIELD), put16(&out, first + 3);
  return out.size;
}

/*
 * The first frame of a StackMapTable (JVMS 4.7.4) counts from the beginning of the code, the others from the one before.
 * `table`: number of frames (2), frames. A frame begins with its kind: below 64 that is the offset itself, from 247 on an
 * offset (2) follows. False: it would have to grow.
 */
static bool move_first_frame(uint8_t *table, uint32_t distance) {
  if (read16(table) == 0)
    return true;
  if (table[2] >= 247)
    set16(table + 3, read16(table + 3) + distance);
  else if (table[2] + distance < 64)
    table[2] = (uint8_t)(table[2] + distance);
  else
    return false;
  return true;
}

/* Line numbers and local variables point into the code as well, but only debuggers read them: they go. */
static bool put_code_attributes(struct bytes *out, const uint8_t *class_file, const uint8_t *at, uint32_t distance) {
  uint32_t count = read16(at), kept = 0, count_at = out->size;
  put16(out, 0);
  for (at += 2; count > 0; count--, at += 6 + read32(at + 2)) {
    if (!is_text(class_file, read16(at), "StackMapTable"))
      continue;
    put(out, at, 6 + read32(at + 2));
    if (out->size > out->capacity || !move_first_frame(out->at + out->size - read32(at + 2), distance))
      return false;
    kept++;
  }
  if (count_at + 2 <= out->capacity)
    set16(out->at + count_at, kept);
  return true;
}

/* Code: name, length | max_stack (6), max_locals (8), code_length (10), code (14), exceptions, attributes. */
static bool put_edited_code(struct bytes *out, const uint8_t *class_file, const uint8_t *attribute, const struct edit *edit,
                            uint32_t first) {
  uint8_t added[MAX_ADDED_CODE];
  uint32_t added_size = compose_code(added, edit, first);
  uint32_t stack = read16(attribute + 6), length = read32(attribute + 10);
  const uint8_t *code = attribute + 14, *exceptions = code + length;
  if (length == 0 || code[length - 1] != RETURN || read16(exceptions) != 0)
    return false;
  uint32_t start = out->size;
  put(out, attribute, 14);
  if (edit->at_beginning)
    put(out, added, added_size);
  put(out, code, length - 1);
  if (!edit->at_beginning)
    put(out, added, added_size);
  put8(out, RETURN);
  put16(out, 0);
  if (!put_code_attributes(out, class_file, exceptions + 2, edit->at_beginning ? added_size : 0))
    return false;
  set32(out->at + start + 2, out->size - start - 6);
  set16(out->at + start + 6, stack > ADDED_STACK ? stack : ADDED_STACK);
  set32(out->at + start + 10, length + added_size);
  return true;
}

/* The edited class in a buffer that belongs to JVMTI; false: nothing was done. */
static bool apply_edit(jvmtiEnv *jvmti, const struct edit *edit, const uint8_t *class_file, uint32_t size, struct bytes *out) {
  uint32_t count = read16(class_file + 8);
  const uint8_t *constants_end = find_constant(class_file, count);
  const uint8_t *code = constants_end ? find_code(class_file, constants_end, edit) : NULL;
  out->size = 0;
  out->capacity = size + 512;
  if (!code || (*jvmti)->Allocate(jvmti, out->capacity, &out->at))
    return false;
  put(out, class_file, (uint32_t)(constants_end - class_file));
  put_constants(out, edit, count, read16(constants_end + 2));
  put(out, constants_end, (uint32_t)(code - constants_end));
  const uint8_t *rest = code + 6 + read32(code + 2);
  bool done = put_edited_code(out, class_file, code, edit, count);
  put(out, rest, (uint32_t)(class_file + size - rest));
  if (!done || out->size > out->capacity) {
    (*jvmti)->Deallocate(jvmti, out->at);
    return false;
  }
  set16(out->at + 8, count + ADDED_CONSTANTS);
  return true;
}

static void JNICALL on_class_file(jvmtiEnv *jvmti, JNIEnv *env, jclass redefined, jobject loader, const char *name,
                                  jobject domain, jint size, const unsigned char *data, jint *new_size,
                                  unsigned char **new_data) {
  (void)env, (void)loader, (void)domain;
  struct bytes current = {NULL, 0, 0}, next;
  for (size_t i = 0; redefined && name && i < EDIT_COUNT; i++) {
    if (strcmp(name, EDITS[i].class_name) != 0)
      continue;
    if (!apply_edit(jvmti, &EDITS[i], current.at ? current.at : data, current.at ? current.size : (uint32_t)size, &next)) {
      if (current.at) /* all of a class's edits or none */
        (*jvmti)->Deallocate(jvmti, current.at);
      return;
    }
    if (current.at)
      (*jvmti)->Deallocate(jvmti, current.at);
    current = next;
  }
  if (current.at) {
    *new_data = current.at;
    *new_size = (jint)current.size;
  }
}

/* Stacks cost time: only for those who look for what is open. */
static bool collects_stacks(void) {
  char *value;
  if ((*crac_jvmti)->GetSystemProperty(crac_jvmti, "jdk.crac.collect-fd-stacktraces", &value))
    return false;
  bool is_true = strcmp(value, "true") == 0;
  (*crac_jvmti)->Deallocate(crac_jvmti, (unsigned char *)value);
  return is_true;
}

static jvmtiEnv *editor; /* of its own: its events and capabilities end with it */

/*
 * In Agent_OnLoad: who gets the capability later makes HotSpot throw away all code that it has compiled so far, because it
 * has not noted which code depends on which class.
 */
void crac_prepare_class_edits(void) {
  jvmtiCapabilities capabilities;
  memset(&capabilities, 0, sizeof capabilities);
  capabilities.can_retransform_classes = 1;
  if ((*crac_vm)->GetEnv(crac_vm, (void **)&editor, JVMTI_VERSION_9) != JNI_OK)
    editor = NULL;
  else
    (*editor)->AddCapabilities(editor, &capabilities); /* without it, RetransformClasses() says so */
}

void crac_edit_classes(JNIEnv *env) {
  if (!editor)
    return;
  jclass classes[] = {(*env)->FindClass(env, "java/util/Random"), (*env)->FindClass(env, "sun/security/provider/SecureRandom"),
                      (*env)->FindClass(env, FILE_DESCRIPTOR)};
  jvmtiEventCallbacks callbacks;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.ClassFileLoadHook = on_class_file;
  bool ok = !(*env)->ExceptionCheck(env) && !(*editor)->SetEventCallbacks(editor, &callbacks, sizeof callbacks) &&
            !(*editor)->SetEventNotificationMode(editor, JVMTI_ENABLE, JVMTI_EVENT_CLASS_FILE_LOAD_HOOK, NULL);
  (*env)->ExceptionClear(env);
  jvmtiError error =
      ok ? (*editor)->RetransformClasses(editor, collects_stacks() ? 3 : 2, classes) : JVMTI_ERROR_INTERNAL;
  if (error)
    crac_warn("classes of this JVM cannot be changed (JVMTI error %d): generators of random numbers are not told apart", error);
  (*editor)->DisposeEnvironment(editor);
  editor = NULL;
}
