# pages.node: optional. It needs the headers of the Node.js that builds, and nothing else of it; without them crac-build
# does the same in JavaScript.
NODE_HEADER := node_api.h
NODE_INCLUDE ?= $(patsubst %/$(NODE_HEADER),%,$(firstword $(wildcard \
  $(dir $(realpath $(shell command -v node)))../include/node/$(NODE_HEADER) /usr/include/node/$(NODE_HEADER))))
ifneq ($(wildcard $(NODE_INCLUDE)/$(NODE_HEADER)),)
PARTS += $(OUT)/pages.node
else
$(info note: the headers of Node.js are not here (NODE_INCLUDE): built without pages.node, compiling checkpoints is slower)
endif
$(OUT)/pages.node: addon/pages.c addon/part.mk | $(OUT)
	$(CC) $(CFLAGS) -O3 $(WARN) -fPIC -fvisibility=hidden -shared -s -isystem $(NODE_INCLUDE) -o $@ $<
