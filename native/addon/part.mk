# pages.node: optional. It needs the headers of the Node.js that builds, and nothing else of it; without them crac-build
# does the same in JavaScript.
NODE_INCLUDE ?= $(firstword $(wildcard $(patsubst %/bin/node,%/include/node,$(realpath $(shell command -v node))) /usr/include/node))
ifneq ($(wildcard $(NODE_INCLUDE)/node_api.h),)
PARTS += $(OUT)/pages.node
else
$(info note: the headers of Node.js are not here (NODE_INCLUDE=$(NODE_INCLUDE)): built without pages.node, compiling checkpoints is slower)
endif
$(OUT)/pages.node: addon/pages.c addon/part.mk | $(OUT)
	$(CC) $(CFLAGS) -O3 $(WARN) -fPIC -fvisibility=hidden -shared -s -isystem $(NODE_INCLUDE) -o $@ $<
