# ctl: one static program that runs in any image.
PARTS += $(OUT)/ctl
$(OUT)/ctl: ctl/ctl.c ctl/touched.c ctl/touched.h control.h mailbox.h | $(OUT)
	$(CC) -Os $(WARN) -static -s -ffunction-sections -Wl,--gc-sections -o $@ ctl/ctl.c ctl/touched.c
