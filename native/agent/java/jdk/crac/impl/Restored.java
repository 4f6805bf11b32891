package jdk.crac.impl;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.Charset;
import java.util.HashMap;
import java.util.Map;

/** What is new in the process after a restore: environment, arguments, process id. */
final class Restored {
    private Restored() {
    }

    static void takeOver(long mailbox) {
        Native.open(Object.class.getModule(), "java.lang", Restored.class.getModule());
        byte[][] environment = Native.takeEnvironment(mailbox);
        byte[][] arguments = Native.arguments(mailbox);
        try {
            replaceEnvironment(environment);
            replaceProcessId(Native.processId());
        } catch (ReflectiveOperationException | RuntimeException unknownJdk) {
            System.err.println("crac: warning: this JDK's environment or process id cannot be replaced: " + unknownJdk);
        }
        for (byte[] argument : arguments) {
            setProperty(new String(argument, nativeCharset()));
        }
    }

    /** A container argument -Dname=value sets a system property. */
    private static void setProperty(String argument) {
        if (!argument.startsWith("-D") || argument.length() == 2) {
            return;
        }
        int equals = argument.indexOf('=');
        if (equals == 2) {
            return;
        }
        if (equals < 0) {
            System.setProperty(argument.substring(2), "");
        } else {
            System.setProperty(argument.substring(2, equals), argument.substring(equals + 1));
        }
    }

    private static Charset nativeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding"));
        } catch (IllegalArgumentException unknown) {
            return Charset.defaultCharset();
        }
    }

    /** Changes the one map behind System.getenv() and ProcessBuilder.environment() in place: both hold on to it. */
    @SuppressWarnings("unchecked")
    private static void replaceEnvironment(byte[][] environment) throws ReflectiveOperationException {
        Class<?> holder = Class.forName("java.lang.ProcessEnvironment");
        Field field = holder.getDeclaredField("theEnvironment");
        field.setAccessible(true);
        Map<Object, Object> current = (Map<Object, Object>) field.get(null);
        Method variable = factory("java.lang.ProcessEnvironment$Variable");
        Method value = factory("java.lang.ProcessEnvironment$Value");
        Map<Object, Object> fresh = new HashMap<>();
        for (byte[] entry : environment) {
            int equals = 1; // a name may begin with '='
            while (equals < entry.length && entry[equals] != '=') {
                equals++;
            }
            if (equals >= entry.length) {
                continue;
            }
            byte[] name = java.util.Arrays.copyOfRange(entry, 0, equals);
            byte[] content = java.util.Arrays.copyOfRange(entry, equals + 1, entry.length);
            fresh.putIfAbsent(variable.invoke(null, name), value.invoke(null, content));
        }
        // only what differs is touched: other threads read this map without a lock
        current.keySet().retainAll(fresh.keySet());
        for (Map.Entry<Object, Object> entry : fresh.entrySet()) {
            if (!entry.getValue().equals(current.get(entry.getKey()))) {
                current.put(entry.getKey(), entry.getValue());
            }
        }
    }

    private static Method factory(String className) throws ReflectiveOperationException {
        Method method = Class.forName(className).getDeclaredMethod("valueOf", byte[].class);
        method.setAccessible(true);
        return method;
    }

    /** ProcessHandle.current() is made once; to isAlive() it is a process with this id and this start time. */
    private static void replaceProcessId(int pid) throws ReflectiveOperationException {
        ProcessHandle current = ProcessHandle.current();
        Method startTime = current.getClass().getDeclaredMethod("isAlive0", long.class);
        startTime.setAccessible(true);
        setLong(current, "pid", pid);
        setLong(current, "startTime", (long) startTime.invoke(null, (long) pid));
    }

    private static void setLong(Object object, String name, long value) throws ReflectiveOperationException {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.setLong(object, value);
    }
}
