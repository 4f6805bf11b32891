/*
 * The restored process knows the old vdso by address. Where this kernel's is equal it is moved there; otherwise the old
 * bytes go there and every exported function jumps to this kernel's, or makes the system call where there is none.
 */
#ifndef RESTORE_VDSO_H
#define RESTORE_VDSO_H
/* Finds ours; gives up when it can neither be moved nor stay. */
void find_vdso(void);
/* Unmaps everything but the restorer, the plan and our vdso, which is moved into the restorer's range if it may be. */
void clear_address_space(void);
void place_vdso(void);
#endif
