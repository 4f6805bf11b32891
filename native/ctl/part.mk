# ctl: one static program that runs in any image.
CTL_SOURCES := $(wildcard ctl/*.c)
PARTS += $(OUT)/ctl
$(OUT)/ctl: $(CTL_SOURCES) $(wildcard ctl/*.h) control.h mailbox.h | $(OUT)
	$(CC) -Os $(WARN) -static -s -ffunction-sections -Wl,--gc-sections -o $@ $(CTL_SOURCES)
