#include "vdso.h"

#include <linux/mman.h>

#include "cold.h"
#include "launch.h"
#include "plan_file.h"
#include "syscall.h"
#include "text.h"
#include "vdso_functions.h"

#define STAGING (CRAC_RESTORER_BASE + 0x8000000)
#define MAX_AREAS 8

struct area {
  uint64_t start, end;
  int is_vdso;
};
static struct area areas[MAX_AREAS]; /* [vvar], [vvar_vclock], …, [vdso] in order of address */
static unsigned area_count;
static uint64_t moved_by; /* what was added to their addresses */
static int stays;

static const struct area *own_vdso(void) {
  for (unsigned i = 0; i < area_count; i++)
    if (areas[i].is_vdso) return &areas[i];
  return NULL;
}

static void read_areas(void) {
  static char maps[65536];
  long size = read_file("/proc/self/maps", maps, sizeof maps);
  if (is_error(size)) give_up("/proc/self/maps: %e", size);
  for (const char *line = maps; *line != 0;) {
    uint64_t start = parse_number(&line, 16);
    if (*line == '-') line++;
    uint64_t end = parse_number(&line, 16);
    while (*line != 0 && *line != '[' && *line != '\n') line++;
    int is_vdso = after_prefix(line, "[vdso]") != NULL;
    if ((is_vdso || after_prefix(line, "[vvar") != NULL) && area_count < MAX_AREAS)
      areas[area_count++] = (struct area){start, end, is_vdso};
    while (*line != 0 && *line++ != '\n') continue;
  }
}

static int is_equal_to_old(void) {
  const struct area *vdso = own_vdso();
  if (vdso == NULL || area_count < 2 || areas[area_count - 1].is_vdso == 0 || is_equal(launch.vdso, "patch")) return 0;
  for (unsigned i = 1; i < area_count; i++)
    if (areas[i].start != areas[i - 1].end) return 0;
  return vdso->end - vdso->start == plan->vdso_size && vdso->start - areas[0].start == plan->vvar_size &&
         plan->vvar_start + plan->vvar_size == plan->vdso_start &&
         memcmp((void *)vdso->start, plan_blob(plan->vdso_blob), plan->vdso_size) == 0;
}

/* -EPERM and nothing changed when the kernel has sealed them. */
static long move_areas(uint64_t by) {
  for (unsigned i = 0; i < area_count; i++) {
    uint64_t size = areas[i].end - areas[i].start, to = areas[i].start + by;
    long moved = call(mremap, areas[i].start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    if (is_error(moved) && i == 0) return moved;
    if (is_error(moved)) give_up("the vdso cannot be moved: %e", moved);
    areas[i].start = to, areas[i].end = to + size;
  }
  return 0;
}

static int is_in_the_way(uint64_t start, uint64_t end) {
  if (plan->vdso_size != 0 && start < plan->vdso_start + plan->vdso_size && end > plan->vdso_start) return 1;
  const struct crac_mem *wanted = plan_records(CRAC_MEM);
  for (uint32_t i = 0; i < plan_count(CRAC_MEM); i++)
    if (start < wanted[i].address + wanted[i].length && end > wanted[i].address) return 1;
  return 0;
}

/* A kernel may have sealed them (mseal): then they stay, unless the process needs the place. */
void find_vdso(void) {
  read_areas();
  moved_by = area_count == 0 ? 0 : STAGING - areas[0].start;
  stays = area_count == 0 || is_equal(launch.vdso, "stay") || move_areas(moved_by) != 0;
  for (unsigned i = 0; stays && i < area_count; i++)
    if (is_in_the_way(areas[i].start, areas[i].end)) give_up("the kernel's vdso lies where the app's memory was");
}

static void unmap(uint64_t start, uint64_t end) {
  long error = start < end ? call(munmap, start, end - start) : 0;
  if (error != 0) give_up("memory at %x cannot be unmapped: %e", start, error);
}

void clear_address_space(void) {
  uint64_t at = 0;
  int is_own_kept = 0;
  for (unsigned i = 0; stays && i < area_count; i++) {
    if (!is_own_kept && areas[i].start > CRAC_RESTORER_END) {
      unmap(at, CRAC_RESTORER_BASE);
      at = CRAC_RESTORER_END, is_own_kept = 1;
    }
    unmap(at, areas[i].start);
    at = areas[i].end;
  }
  if (!is_own_kept) {
    unmap(at, CRAC_RESTORER_BASE);
    at = CRAC_RESTORER_END;
  }
  unmap(at, MACHINE_ADDRESS_SPACE_END);
}

static void patch_old(void) {
  long mapped = call(mmap, plan->vdso_start, plan->vdso_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (is_error(mapped)) give_up("the old vdso cannot be placed: %e", mapped);
  memcpy((void *)mapped, plan_blob(plan->vdso_blob), plan->vdso_size);
  const struct area *own = own_vdso();
  const struct crac_vdso_symbol *functions = plan_records(CRAC_VDSO);
  for (uint32_t i = 0; i < plan_count(CRAC_VDSO); i++) {
    uint8_t *code = (uint8_t *)mapped + functions[i].offset;
    const char *name = plan_blob(functions[i].name_blob);
    uint64_t target = own == NULL ? 0 : find_vdso_function(own->start, own->end, name);
    target != 0 ? write_jump(code, target) : write_system_call(code, name);
  }
  long error = call(mprotect, mapped, plan->vdso_size, PROT_READ | PROT_EXEC);
  if (error != 0) give_up("the old vdso cannot be made executable: %e", error);
}

void place_vdso(void) {
  if (plan->vdso_size == 0) return;
  if (stays || !is_equal_to_old()) return patch_old();
  long error = move_areas(plan->vvar_start - areas[0].start);
  if (error != 0) give_up("the vdso cannot be moved to where it was: %e", error);
}
