/* A vdso's dynamic symbols, which end where their names begin, as linkers lay them. Offsets count from its start. */
#include "vdso_functions.h"

#include <linux/elf.h>

#include "text.h"

struct image {
  uint64_t start, size;
};
struct symbols {
  uint64_t at, names, bias; /* bias: from a link address to an offset */
};

static const void *part(const struct image *image, uint64_t offset, uint64_t size) {
  return offset <= image->size && size <= image->size - offset ? (const void *)(image->start + offset) : NULL;
}

static int find_symbols(const struct image *image, struct symbols *found) {
  const Elf64_Ehdr *elf = part(image, 0, sizeof *elf);
  if (elf == NULL || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0) return 0;
  const Elf64_Phdr *segments = part(image, elf->e_phoff, (uint64_t)elf->e_phnum * sizeof *segments);
  if (segments == NULL) return 0;
  uint64_t dynamic_at = image->size;
  for (unsigned i = 0; i < elf->e_phnum; i++) {
    if (segments[i].p_type == PT_LOAD) found->bias = segments[i].p_offset - segments[i].p_vaddr;
    if (segments[i].p_type == PT_DYNAMIC) dynamic_at = segments[i].p_offset;
  }
  const Elf64_Dyn *entry;
  for (; (entry = part(image, dynamic_at, sizeof *entry)) != NULL && entry->d_tag != DT_NULL; dynamic_at += sizeof *entry) {
    if (entry->d_tag == DT_STRTAB) found->names = found->bias + entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) found->at = found->bias + entry->d_un.d_ptr;
  }
  return found->at != 0 && found->names <= image->size;
}

uint64_t find_vdso_function(uint64_t start, uint64_t end, const char *name) {
  const struct image image = {start, end - start};
  struct symbols symbols = {0, 0, 0};
  if (!find_symbols(&image, &symbols)) return 0;
  uint64_t name_size = strlen(name) + 1;
  const Elf64_Sym *symbol;
  for (uint64_t at = symbols.at; at < symbols.names && symbols.names - at >= sizeof *symbol; at += sizeof *symbol) {
    if ((symbol = part(&image, at, sizeof *symbol)) == NULL) return 0;
    const char *own = part(&image, symbols.names + symbol->st_name, name_size);
    if (symbol->st_shndx == 0 || own == NULL || memcmp(own, name, name_size) != 0) continue;
    return part(&image, symbols.bias + symbol->st_value, 1) == NULL ? 0 : start + symbols.bias + symbol->st_value;
  }
  return 0;
}
