/*
 * Two processes restored from one image must not make the same random numbers. The generators are found before the
 * checkpoint, so that after the restore only some fields are to be written:
 *
 *   java.util.Random           those without a seed of the app's (Seeds.java) get a new state
 *   SplittableRandom           the same; see keep_seeded_splittables()
 *   ThreadLocalRandom          the state lies in the threads, virtual ones too
 *   NativePRNG*                its buffer is emptied: it reads /dev/urandom again
 *   DRBG                       is made to begin anew, with fresh entropy, when it is used next
 *   SHA1PRNG                   likewise, unless the app seeded it; the generator behind it gets new state
 *   any other SecureRandom     setSeed(), which adds to the state
 *   what seeds new generators  Random.seedUniquifier, ThreadLocalRandom.seeder, defaultGen of the others
 *
 * What can be emptied is emptied before the checkpoint as well: then not even a thread that runs on before the reseeding
 * sees old numbers. Fields are looked up by name; what another JDK does not have is left alone.
 */
#define _GNU_SOURCE
#include "heap_search.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum action { SET_SEED, SET_ODD_SEED, RANDOM, SPLITTABLE, THREAD, NATIVE, SHA1, SHA1_SEEDER, DRBG, FOREIGN };
struct item {
  enum action action;
  jobject object; /* global reference */
};
static struct item *items;
static size_t item_count, item_capacity;

static jfieldID atomic_value, random_seed, random_has_gaussian, thread_seed, thread_probe, splittable_seed, splittable_gamma,
    unseeded_is_seeded, native_buffered, native_lock, sha1_state, sha1_count, drbg_instantiated, secure_spi;
static jmethodID secure_set_seed, is_seeded_method;
static jclass unseeded_class, seeds_class;

static jobject keep(JNIEnv *env, enum action action, jobject object) {
  if (item_count == item_capacity) {
    size_t capacity = item_capacity ? 2 * item_capacity : 64;
    struct item *larger = realloc(items, capacity * sizeof *items);
    if (!larger)
      return NULL;
    items = larger;
    item_capacity = capacity;
  }
  jobject kept = (*env)->NewGlobalRef(env, object);
  if (kept)
    items[item_count++] = (struct item){action, kept};
  return kept;
}

static jfieldID field(JNIEnv *env, jclass class, const char *name, const char *type) {
  jfieldID found = (*env)->GetFieldID(env, class, name, type);
  if (!found)
    (*env)->ExceptionClear(env);
  return found;
}

/* Asking for a static field would initialize the class. */
static void keep_static(JNIEnv *env, jclass class, const char *name, const char *type, enum action action) {
  jint status = 0;
  if ((*crac_jvmti)->GetClassStatus(crac_jvmti, class, &status) || !(status & JVMTI_CLASS_STATUS_INITIALIZED))
    return;
  jfieldID found = (*env)->GetStaticFieldID(env, class, name, type);
  if (!found)
    (*env)->ExceptionClear(env);
  jobject value = found ? (*env)->GetStaticObjectField(env, class, found) : NULL;
  if (value)
    keep(env, action, value);
}

#define ATOMIC_LONG "Ljava/util/concurrent/atomic/AtomicLong;"

static void found_atomic_long(JNIEnv *env, jclass class) { atomic_value = field(env, class, "value", "J"); }
static void found_random_class(JNIEnv *env, jclass class) {
  random_seed = field(env, class, "seed", ATOMIC_LONG);
  random_has_gaussian = field(env, class, "haveNextNextGaussian", "Z");
  keep_static(env, class, "seedUniquifier", ATOMIC_LONG, SET_ODD_SEED);
}
static void found_thread_local_random(JNIEnv *env, jclass class) { keep_static(env, class, "seeder", ATOMIC_LONG, SET_SEED); }
static void found_splittable_class(JNIEnv *env, jclass class) {
  splittable_seed = field(env, class, "seed", "J");
  splittable_gamma = field(env, class, "gamma", "J");
  keep_static(env, class, "defaultGen", ATOMIC_LONG, SET_SEED);
}
static void found_other_generator(JNIEnv *env, jclass class) { keep_static(env, class, "defaultGen", ATOMIC_LONG, SET_SEED); }
static void found_thread_class(JNIEnv *env, jclass class) {
  thread_seed = field(env, class, "threadLocalRandomSeed", "J");
  thread_probe = field(env, class, "threadLocalRandomProbe", "I");
}
static void found_native_class(JNIEnv *env, jclass class) {
  native_buffered = field(env, class, "buffered", "I");
  native_lock = field(env, class, "LOCK_GET_BYTES", "Ljava/lang/Object;");
}
static void found_sha1_class(JNIEnv *env, jclass class) {
  sha1_state = field(env, class, "state", "[B");
  sha1_count = field(env, class, "remCount", "I");
}
static void found_sha1_holder(JNIEnv *env, jclass class) {
  keep_static(env, class, "seeder", "Lsun/security/provider/SecureRandom;", SHA1_SEEDER);
}
static void found_drbg_class(JNIEnv *env, jclass class) { drbg_instantiated = field(env, class, "instantiated", "Z"); }
static void found_secure_class(JNIEnv *env, jclass class) {
  secure_spi = field(env, class, "secureRandomSpi", "Ljava/security/SecureRandomSpi;");
  secure_set_seed = (*env)->GetMethodID(env, class, "setSeed", "([B)V");
  if (!secure_set_seed)
    (*env)->ExceptionClear(env);
}

static void found_random(JNIEnv *env, jobject random) {
  jobject state = random_seed ? (*env)->GetObjectField(env, random, random_seed) : NULL;
  if (state && unseeded_is_seeded && (*env)->IsInstanceOf(env, state, unseeded_class) &&
      !(*env)->GetBooleanField(env, state, unseeded_is_seeded))
    keep(env, RANDOM, random);
  (*env)->DeleteLocalRef(env, state);
}
/* A thread that has not used ThreadLocalRandom takes its seed when it does. */
static void found_thread(JNIEnv *env, jobject thread) {
  if (thread_seed && thread_probe && (*env)->GetIntField(env, thread, thread_probe) != 0)
    keep(env, THREAD, thread);
}
static void found_splittable(JNIEnv *env, jobject generator) {
  if (splittable_seed && splittable_gamma)
    keep(env, SPLITTABLE, generator);
}
static void found_native(JNIEnv *env, jobject generator) {
  if (native_buffered && native_lock)
    keep(env, NATIVE, generator);
}
static void found_sha1(JNIEnv *env, jobject generator) {
  if (!sha1_state || !sha1_count || !is_seeded_method)
    return;
  jboolean is_seeded = (*env)->CallStaticBooleanMethod(env, seeds_class, is_seeded_method, generator);
  if (!(*env)->ExceptionCheck(env) && !is_seeded)
    keep(env, SHA1, generator);
  (*env)->ExceptionClear(env);
}
static void found_drbg(JNIEnv *env, jobject generator) {
  if (drbg_instantiated)
    keep(env, DRBG, generator);
}

/* The JDK's own implementations are dealt with above. */
static void found_secure(JNIEnv *env, jobject generator) {
  jobject implementation = secure_spi && secure_set_seed ? (*env)->GetObjectField(env, generator, secure_spi) : NULL;
  char *name;
  if (!implementation)
    return;
  if (!(*crac_jvmti)->GetClassSignature(crac_jvmti, (*env)->GetObjectClass(env, implementation), &name, NULL)) {
    if (strncmp(name, "Lsun/security/provider/", 23) != 0)
      keep(env, FOREIGN, generator);
    (*crac_jvmti)->Deallocate(crac_jvmti, (unsigned char *)name);
  }
}

/* SecureRandom before Random, which it extends. */
static const struct crac_kind KINDS[] = {
    {"Ljava/util/concurrent/atomic/AtomicLong;", false, false, found_atomic_long, NULL},
    {"Ljava/util/concurrent/ThreadLocalRandom;", false, false, found_thread_local_random, NULL},
    {"Ljava/security/SecureRandom;", false, true, found_secure_class, found_secure},
    {"Ljava/util/Random;", false, true, found_random_class, found_random},
    {"Ljava/util/SplittableRandom;", false, false, found_splittable_class, found_splittable},
    {"Ljava/lang/Thread;", false, true, found_thread_class, found_thread},
    {"Lsun/security/provider/NativePRNG$RandomIO;", false, false, found_native_class, found_native},
    {"Lsun/security/provider/SecureRandom;", false, false, found_sha1_class, found_sha1},
    {"Lsun/security/provider/SecureRandom$SeederHolder;", false, false, found_sha1_holder, NULL},
    {"Lsun/security/provider/AbstractDrbg;", false, true, found_drbg_class, found_drbg},
    {"Ljdk/random/", true, false, found_other_generator, NULL},
    {"Ljdk/internal/random/", true, false, found_other_generator, NULL},
    /* no generators, but one walk over the heap is enough */
    {"Ljava/util/TimerTask;", false, false, crac_found_timer_task_class, NULL},
    {"Ljava/util/TaskQueue;", false, false, crac_found_timer_queue_class, crac_found_timer_queue},
    {NULL, false, false, NULL, NULL},
};

#define GOLDEN_GAMMA 0x9e3779b97f4a7c15ULL
#define LOOK_BACK 1000000
#define MAX_COMPARISONS 100000000ULL

static uint64_t mix(uint64_t z, uint64_t first, uint64_t second) {
  z = (z ^ (z >> 33)) * first;
  z = (z ^ (z >> 33)) * second;
  return z ^ (z >> 33);
}
static uint64_t mix_gamma(uint64_t z) {
  z = mix(z, 0xff51afd7ed558ccdULL, 0xc4ceb9fe1a85ec53ULL) | 1;
  return __builtin_popcountll(z ^ (z >> 1)) < 24 ? z ^ 0xaaaaaaaaaaaaaaaaULL : z;
}

static void drop_item(JNIEnv *env, size_t i) {
  (*env)->DeleteGlobalRef(env, items[i].object);
  items[i] = items[--item_count];
}

/*
 * SplittableRandom(seed) has the golden gamma. split() takes the child's gamma from the parent's state, which goes up by
 * the parent's gamma at each step: so a seeded parent that still exists is looked at backwards. Children of seeded parents
 * that are gone are taken for unseeded: better another sequence than the same numbers twice.
 */
static void keep_seeded_splittables(JNIEnv *env) {
  struct pair {
    uint64_t seed, gamma;
  } *seeded = NULL;
  size_t seeded_count = 0, all = 0, left = 0;
  for (size_t i = 0; i < item_count; i++)
    all += items[i].action == SPLITTABLE;
  if (all == 0 || !(seeded = malloc(all * sizeof *seeded)))
    return;
#define SEED(i) ((uint64_t)(*env)->GetLongField(env, items[i].object, splittable_seed))
#define GAMMA(i) ((uint64_t)(*env)->GetLongField(env, items[i].object, splittable_gamma))
  for (size_t i = item_count; i-- > 0;)
    if (items[i].action == SPLITTABLE && GAMMA(i) == GOLDEN_GAMMA) {
      seeded[seeded_count++] = (struct pair){SEED(i), GOLDEN_GAMMA};
      drop_item(env, i);
    }
  left = all - seeded_count;
  uint64_t comparisons = 0;
  for (size_t parent = 0; parent < seeded_count && left > 0; parent++) {
    uint64_t *gammas = malloc(left * sizeof *gammas), state = seeded[parent].seed;
    size_t count = 0;
    for (size_t i = 0; gammas && i < item_count && count < left; i++)
      if (items[i].action == SPLITTABLE)
        gammas[count++] = GAMMA(i);
    for (uint32_t step = 0; step < LOOK_BACK && (comparisons += count) < MAX_COMPARISONS; step++, state -= seeded[parent].gamma) {
      uint64_t from_split = mix_gamma(state);
      for (size_t g = 0; g < count; g++)
        if (gammas[g] == from_split)
          for (size_t i = item_count; i-- > 0;)
            if (items[i].action == SPLITTABLE && GAMMA(i) == gammas[g]) {
              seeded[seeded_count++] = (struct pair){SEED(i), GAMMA(i)};
              drop_item(env, i);
              left--;
            }
    }
    free(gammas);
  }
  free(seeded);
}

/* Done before the checkpoint and again after the restore: what must not be used is thrown away. */
static void empty(JNIEnv *env, const struct item *item) {
  jobject lock = item->action == NATIVE ? (*env)->GetObjectField(env, item->object, native_lock) : item->object;
  if (!lock || (*env)->MonitorEnter(env, lock)) /* the generators' own methods hold it, too */
    return;
  if (item->action == NATIVE) {
    (*env)->SetIntField(env, item->object, native_buffered, 0);
  } else if (item->action == SHA1) {
    (*env)->SetObjectField(env, item->object, sha1_state, NULL);
    (*env)->SetIntField(env, item->object, sha1_count, 0);
  } else {
    (*env)->SetBooleanField(env, item->object, drbg_instantiated, JNI_FALSE);
  }
  (*env)->MonitorExit(env, lock);
}

static bool is_emptied(enum action action) { return action == NATIVE || action == SHA1 || action == DRBG; }

void crac_forget_generators(JNIEnv *env) {
  while (item_count > 0)
    drop_item(env, item_count - 1);
  free(items);
  items = NULL;
  item_capacity = 0;
}

void crac_find_generators(JNIEnv *env) {
  crac_forget_generators(env);
  unseeded_class = crac_find_boot_class(env, "jdk/crac/impl/Seeds$Unseeded");
  unseeded_is_seeded = unseeded_class ? field(env, unseeded_class, "isSeeded", "Z") : NULL;
  seeds_class = crac_find_boot_class(env, "jdk/crac/impl/Seeds");
  is_seeded_method = seeds_class ? (*env)->GetStaticMethodID(env, seeds_class, "isSeeded", "(Ljava/security/SecureRandomSpi;)Z") : NULL;
  if (!crac_search_heap(env, KINDS))
    crac_warn("the heap of this JVM cannot be searched: generators of random numbers may repeat themselves in two restored processes");
  (*env)->DeleteLocalRef(env, unseeded_class);
  (*env)->DeleteLocalRef(env, seeds_class);
  for (size_t seeder = 0; seeder < item_count; seeder++)
    for (size_t i = item_count; items[seeder].action == SHA1_SEEDER && i-- > 0;)
      if (items[i].action == SHA1 && (*env)->IsSameObject(env, items[i].object, items[seeder].object)) {
        drop_item(env, i);
        break;
      }
  keep_seeded_splittables(env);
  for (size_t i = 0; i < item_count; i++)
    if (is_emptied(items[i].action))
      empty(env, &items[i]);
}

static jbyteArray new_random_bytes(JNIEnv *env, jsize count) {
  jbyte random[64];
  jbyteArray bytes = syscall(SYS_getrandom, random, (size_t)count, 0) == count ? (*env)->NewByteArray(env, count) : NULL;
  if (bytes)
    (*env)->SetByteArrayRegion(env, bytes, 0, count, random);
  return bytes;
}

static void set_seeder_state(JNIEnv *env, jobject seeder) {
  jbyteArray state = new_random_bytes(env, 20);
  if (state && sha1_state && sha1_count && !(*env)->MonitorEnter(env, seeder)) {
    (*env)->SetObjectField(env, seeder, sha1_state, state);
    (*env)->SetIntField(env, seeder, sha1_count, 0);
    (*env)->MonitorExit(env, seeder);
  }
  (*env)->DeleteLocalRef(env, state);
}

static void add_seed(JNIEnv *env, jobject generator) {
  jbyteArray seed = new_random_bytes(env, 32);
  if (seed)
    (*env)->CallVoidMethod(env, generator, secure_set_seed, seed);
  if ((*env)->ExceptionCheck(env)) {
    (*env)->ExceptionClear(env);
    crac_warn("a SecureRandom refuses more seed: its numbers may be the same in two restored processes");
  }
  (*env)->DeleteLocalRef(env, seed);
}

static void set_random(JNIEnv *env, jobject random, uint64_t seed) {
  jobject state = (*env)->GetObjectField(env, random, random_seed);
  if (state && atomic_value)
    (*env)->SetLongField(env, state, atomic_value, (jlong)(seed & ((1ULL << 48) - 1)));
  if (random_has_gaussian)
    (*env)->SetBooleanField(env, random, random_has_gaussian, JNI_FALSE);
  (*env)->DeleteLocalRef(env, state);
}

/* Returns how many generators, threads included, were dealt with. */
int crac_reseed_generators(JNIEnv *env) {
  uint64_t random;
  if (syscall(SYS_getrandom, &random, sizeof random, 0) != sizeof random)
    return 0;
  for (int secure = 1; secure >= 0; secure--) /* those on which secrets depend come first */
    for (size_t i = 0; i < item_count; i++) {
      const struct item *item = &items[i];
      if (secure != (item->action >= NATIVE))
        continue;
      uint64_t seed = mix(random += GOLDEN_GAMMA, 0xff51afd7ed558ccdULL, 0xc4ceb9fe1a85ec53ULL);
      switch (item->action) {
      case SET_SEED:
      case SET_ODD_SEED: /* a factor: an even one would be 0 before long */
        if (atomic_value)
          (*env)->SetLongField(env, item->object, atomic_value, (jlong)(seed | (item->action == SET_ODD_SEED)));
        break;
      case RANDOM:
        set_random(env, item->object, seed);
        break;
      case SPLITTABLE:
        (*env)->SetLongField(env, item->object, splittable_seed, (jlong)seed);
        break;
      case THREAD:
        (*env)->SetLongField(env, item->object, thread_seed, (jlong)seed);
        break;
      case SHA1_SEEDER:
        set_seeder_state(env, item->object);
        break;
      case FOREIGN:
        add_seed(env, item->object);
        break;
      default:
        empty(env, item);
      }
    }
  return (int)item_count;
}
