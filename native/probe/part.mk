# probe: the stopwatch of bench/. It is not part of any image.
PARTS += $(OUT)/probe
$(OUT)/probe: $(wildcard probe/*.c) $(wildcard probe/*.h) tools/die.h probe/part.mk | $(OUT)
	$(CC) $(CFLAGS) $(WARN) -Itools -static -o $@ $(wildcard probe/*.c)
