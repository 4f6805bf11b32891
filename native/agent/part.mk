# libcrac.so and crac.jar. The library holds a copy of the jar; the jar itself is for compiling apps against jdk.crac.
# Any JDK from 17 on will do; the bytes of the jar depend on which.
JDK17 ?= $(firstword $(wildcard /usr/lib/jvm/java-17-openjdk-*) $(JAVA_HOME) $(patsubst %/bin/javac,%,$(realpath $(shell command -v javac))))
AGENT := agent
AGENT_C := $(sort $(wildcard $(AGENT)/*.c))
AGENT_JAVA := $(sort $(wildcard $(AGENT)/java/jdk/crac/*.java $(AGENT)/java/jdk/crac/impl/*.java $(AGENT)/java/jdk/crac/management/*.java))
# The one class that needs what java.management exports only to the JDK itself, which --release does not show.
AGENT_PROVIDER := $(AGENT)/java/jdk/crac/management/Provider.java
AGENT_CLASSES := $(OUT)/.classes
# supertypes first: the agent defines the classes in the jar's order
AGENT_FIRST := jdk/crac/Resource.class jdk/crac/Context.class jdk/crac/management/CRaCMXBean.class \
  jdk/crac/impl/CheckpointOpenResourceException.class
PARTS += $(OUT)/crac.jar $(OUT)/libcrac.so

$(OUT)/crac.jar: $(AGENT_JAVA) $(AGENT)/part.mk | $(OUT)
	rm -rf $(AGENT_CLASSES) && mkdir -p $(AGENT_CLASSES)
	$(JDK17)/bin/javac --release 17 -XDstringConcat=inline -g:source,lines -Xlint:all -d $(AGENT_CLASSES) $(filter-out $(AGENT_PROVIDER),$(AGENT_JAVA))
	$(JDK17)/bin/javac -source 17 -target 17 -XDstringConcat=inline -g:source,lines -Xlint:all,-options -cp $(AGENT_CLASSES) -d $(AGENT_CLASSES) \
	  --add-exports java.management/sun.management.spi=ALL-UNNAMED $(AGENT_PROVIDER)
	cd $(AGENT_CLASSES) && TZ=UTC $(abspath $(JDK17))/bin/jar --create --file $(abspath $@) --no-manifest --no-compress \
	  --date=1980-01-01T00:00:02Z $(AGENT_FIRST) \
	  $$(find jdk -name '*.class' | LC_ALL=C sort | grep -vxF "$$(printf '%s\n' $(AGENT_FIRST))")
	rm -rf $(AGENT_CLASSES)

# -z now: nothing is bound later, in a restored process. No libc symbol newer than GLIBC_2.17 (test/java/library.test.ts).
$(OUT)/libcrac.so: $(AGENT_C) $(wildcard $(AGENT)/*.h) control.h mailbox.h $(OUT)/crac.jar | $(OUT)
	$(CC) $(CFLAGS) $(WARN) -fPIC -fvisibility=hidden -fno-stack-protector -pthread -shared -Wl,-z,now -s -Wl,-soname,libcrac.so \
	  -I$(JDK17)/include -I$(JDK17)/include/linux -DCRAC_JAR='"$(abspath $(OUT))/crac.jar"' -o $@ $(AGENT_C)
