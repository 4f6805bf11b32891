# launch: gives CRIU the app's uid and capabilities (runs in any image: static). forward, capture, netns and whiteouts
# serve the oci engine on the build machine.
TOOLS := launch forward capture netns whiteouts
PARTS += $(TOOLS:%=$(OUT)/%)
$(TOOLS:%=$(OUT)/%): $(OUT)/%: tools/%.c tools/die.h | $(OUT)
	$(CC) $(CFLAGS) $(WARN) -static -o $@ $<
