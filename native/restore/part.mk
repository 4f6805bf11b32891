# The restorer: static, no libc, at an address that no JVM uses. -fpie only makes all references relative to the
# instruction pointer (the default code model ends at 2 GiB); the program itself does not move. No symbols: the assembler's
# would hold the name of a temporary file.
RESTORE_ARCH := restore/arch/$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
RESTORE_SOURCES := $(wildcard restore/*.c $(RESTORE_ARCH)/*.c) $(RESTORE_ARCH)/start.S
RESTORE_HEADERS := $(wildcard restore/*.h $(RESTORE_ARCH)/*.h) mailbox.h
RESTORE_CFLAGS := -O2 -g0 $(WARN) -I. -Irestore -ffreestanding -fno-builtin -fno-stack-protector -fpie -fvisibility=hidden \
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fcf-protection=none -mgeneral-regs-only
RESTORE_LDFLAGS := -static -no-pie -nostdlib -Wl,-Ttext-segment=0x200000000000 -Wl,--build-id=none -Wl,-z,noexecstack -s

PARTS += $(OUT)/restore
$(OUT)/restore: $(RESTORE_SOURCES) $(RESTORE_HEADERS) restore/part.mk | $(OUT)
	$(CC) $(RESTORE_CFLAGS) $(RESTORE_LDFLAGS) -o $@ $(RESTORE_SOURCES)

# For the tests: any of its system calls can be made to fail.
RESTORE_FAULTS := ../test/native/restore-faults.c
$(OUT)/restore-with-faults: $(RESTORE_SOURCES) $(RESTORE_HEADERS) $(RESTORE_FAULTS) restore/part.mk | $(OUT)
	$(CC) -DCRAC_FAULTS $(RESTORE_CFLAGS) $(RESTORE_LDFLAGS) -o $@ $(RESTORE_SOURCES) $(RESTORE_FAULTS)
