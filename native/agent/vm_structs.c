/* HotSpot's description of itself for debuggers: exported tables of type, field, offset or address. */
#include "agent.h"

#include <string.h>

static uint64_t table_number(const char *name) {
  uint64_t *number = crac_jvm_symbol(name);
  return number ? *number : 0;
}

bool crac_find_field(const char *type, const char *field, struct crac_field *found) {
  char **table = crac_jvm_symbol("gHotSpotVMStructs");
  uint64_t stride = table_number("gHotSpotVMStructEntryArrayStride");
  if (!table || !stride)
    return false;
  uint64_t type_at = table_number("gHotSpotVMStructEntryTypeNameOffset");
  uint64_t field_at = table_number("gHotSpotVMStructEntryFieldNameOffset");
  uint64_t offset_at = table_number("gHotSpotVMStructEntryOffsetOffset");
  uint64_t address_at = table_number("gHotSpotVMStructEntryAddressOffset");
  for (char *entry = *table; *(char **)(entry + type_at); entry += stride) {
    const char *field_name = *(char **)(entry + field_at);
    if (!field_name || strcmp(*(char **)(entry + type_at), type) || strcmp(field_name, field))
      continue;
    found->offset = *(uint64_t *)(entry + offset_at);
    found->address = *(void **)(entry + address_at);
    return true;
  }
  return false;
}

uint64_t crac_type_size(const char *type) {
  char **table = crac_jvm_symbol("gHotSpotVMTypes");
  uint64_t stride = table_number("gHotSpotVMTypeEntryArrayStride");
  uint64_t name_at = table_number("gHotSpotVMTypeEntryTypeNameOffset");
  uint64_t size_at = table_number("gHotSpotVMTypeEntrySizeOffset");
  if (!table || !stride)
    return 0;
  for (char *entry = *table; *(char **)(entry + name_at); entry += stride)
    if (!strcmp(*(char **)(entry + name_at), type))
      return *(uint64_t *)(entry + size_at);
  return 0;
}

/* Address of the value of one of HotSpot's flags, or NULL. */
void *crac_find_vm_flag(const char *name) {
  struct crac_field flags, count, flag_name, flag_address;
  uint64_t size = crac_type_size("JVMFlag");
  if (!size || !crac_find_field("JVMFlag", "flags", &flags) || !crac_find_field("JVMFlag", "numFlags", &count) ||
      !crac_find_field("JVMFlag", "_name", &flag_name) || !crac_find_field("JVMFlag", "_addr", &flag_address) ||
      !flags.address || !count.address)
    return NULL;
  char *flag = *(char **)flags.address;
  for (uint64_t left = *(size_t *)count.address; flag && left > 0; left--, flag += size) {
    const char *candidate = *(char **)(flag + flag_name.offset);
    if (candidate && !strcmp(candidate, name))
      return *(void **)(flag + flag_address.offset);
  }
  return NULL;
}

bool crac_vm_flag(const char *name) {
  bool *value = crac_find_vm_flag(name);
  return value && *value;
}

uint64_t crac_vm_number(const char *name) {
  uint64_t *value = crac_find_vm_flag(name);
  return value ? *value : 0;
}
