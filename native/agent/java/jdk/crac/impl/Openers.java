package jdk.crac.impl;

import java.io.FileDescriptor;
import java.lang.reflect.Field;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.WeakHashMap;

/** Who has opened what, when jdk.crac.collect-fd-stacktraces=true asks for it: class_edits.c has FileDescriptor() call in here. */
public final class Openers {
    static final String PROPERTY = "jdk.crac.collect-fd-stacktraces";
    private static final Map<FileDescriptor, Throwable> STACKS = Collections.synchronizedMap(new WeakHashMap<>());

    private Openers() {
    }

    /** What opens is told by its stack; the descriptor's number is not known yet. */
    public static void opened(FileDescriptor descriptor) {
        Exception opener = new Exception("opened by thread \"" + Thread.currentThread().getName() + "\"");
        StackTraceElement[] stack = opener.getStackTrace();
        int own = 0;
        while (own < stack.length - 1 && (stack[own].getClassName().equals(Openers.class.getName())
                || stack[own].getClassName().equals(FileDescriptor.class.getName()))) {
            own++;
        }
        opener.setStackTrace(java.util.Arrays.copyOfRange(stack, own, stack.length));
        STACKS.put(descriptor, opener);
    }

    /** The stack of who opened this descriptor, or null. */
    static Throwable of(int fd) {
        if (!Boolean.getBoolean(PROPERTY)) {
            return null;
        }
        Map<FileDescriptor, Throwable> stacks;
        synchronized (STACKS) {
            stacks = new LinkedHashMap<>(STACKS);
        }
        try {
            Native.open(Object.class.getModule(), "java.io", Openers.class.getModule());
            Field number = FileDescriptor.class.getDeclaredField("fd");
            number.setAccessible(true);
            for (Map.Entry<FileDescriptor, Throwable> each : stacks.entrySet()) {
                if (number.getInt(each.getKey()) == fd) {
                    return each.getValue();
                }
            }
        } catch (ReflectiveOperationException | RuntimeException unknownJdk) {
            System.err.println("crac: warning: this JDK does not tell who opened descriptor " + fd + ": " + unknownJdk);
        }
        return null;
    }
}
