package jdk.crac.impl;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.Charset;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What is new in the process after a restore: environment, arguments, process id. */
final class Restored {
    /** So often that the JVM has done with making reflection faster, which takes it 15 calls. */
    private static final int REHEARSALS = 20;
    private static final String REHEARSED_PROPERTY = "jdk.crac.impl.rehearsed";

    private static Map<Object, Object> environment;
    private static Method variable;
    private static Method value;
    private static Method startTime;

    private Restored() {
    }

    /**
     * Does before the checkpoint what takeOver() does, with what is there already. All of it is run for the first time
     * then, and its classes, native methods and reflection need tens of milliseconds: those are not to pass after a restore.
     */
    static void rehearse() {
        Native.open(Object.class.getModule(), "java.lang", Restored.class.getModule());
        try {
            findInternals();
        } catch (ReflectiveOperationException | RuntimeException unknownJdk) {
            System.err.println("crac: warning: this JDK's environment or process id cannot be replaced: " + unknownJdk);
        }
        long mailbox = Renewal.rehearsalMailbox("-D" + REHEARSED_PROPERTY + "=");
        byte[][] entries = Native.takeEnvironment(mailbox);
        byte[][] arguments = Native.arguments(mailbox);
        Native.removeMailbox(mailbox);
        for (int i = 0; i < REHEARSALS; i++) {
            takeOver(entries, arguments, environment == null ? null : new HashMap<>(i % 2 == 0 ? Map.of() : environment));
        }
        System.clearProperty(REHEARSED_PROPERTY);
    }

    /** Returns what has changed. */
    static Changes takeOver(long mailbox) {
        return takeOver(Native.takeEnvironment(mailbox), Native.arguments(mailbox), environment);
    }

    private static Changes takeOver(byte[][] entries, byte[][] arguments, Map<Object, Object> target) {
        Changes changes = new Changes();
        try {
            if (target != null) {
                replaceEnvironment(target, entries, changes);
            }
            if (startTime != null) {
                replaceProcessId(Native.processId());
            }
        } catch (ReflectiveOperationException | RuntimeException unknownJdk) {
            System.err.println("crac: warning: this JDK's environment or process id cannot be replaced: " + unknownJdk);
        }
        for (byte[] argument : arguments) {
            setProperty(new String(argument, nativeCharset()), changes);
        }
        return changes;
    }

    /** Names of variables and properties, without values: those may be secrets. */
    static final class Changes {
        final Map<String, String> variables = new TreeMap<>();
        final Map<String, String> properties = new TreeMap<>();

        void tell() {
            System.err.println("crac: environment: " + describe(variables));
            System.err.println("crac: properties: " + describe(properties));
        }

        private static String describe(Map<String, String> changes) {
            if (changes.isEmpty()) {
                return "as at the checkpoint";
            }
            StringBuilder text = new StringBuilder();
            changes.forEach((name, what) -> text.append(text.length() == 0 ? "" : ", ").append(name).append(' ').append(what));
            return text.toString();
        }
    }

    /** A container argument -Dname=value sets a system property. */
    private static void setProperty(String argument, Changes changes) {
        if (!argument.startsWith("-D") || argument.length() == 2) {
            return;
        }
        int equals = argument.indexOf('=');
        if (equals == 2) {
            return;
        }
        String name = equals < 0 ? argument.substring(2) : argument.substring(2, equals);
        String content = equals < 0 ? "" : argument.substring(equals + 1);
        String before = System.setProperty(name, content);
        changes.properties.put(name, before == null ? "added" : before.equals(content) ? "unchanged" : "changed");
    }

    private static Charset nativeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding"));
        } catch (IllegalArgumentException unknown) {
            return Charset.defaultCharset();
        }
    }

    /** The one map behind System.getenv() and ProcessBuilder.environment() is changed in place: both hold on to it. */
    private static void replaceEnvironment(Map<Object, Object> target, byte[][] entries, Changes changes)
            throws ReflectiveOperationException {
        Map<Object, Object> fresh = new HashMap<>();
        for (byte[] entry : entries) {
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
        for (Object name : target.keySet().toArray()) {
            if (!fresh.containsKey(name)) {
                target.remove(name);
                changes.variables.put(name.toString(), "removed");
            }
        }
        // only what differs is touched: other threads read this map without a lock
        for (Map.Entry<Object, Object> entry : fresh.entrySet()) {
            if (!entry.getValue().equals(target.get(entry.getKey()))) {
                Object before = target.put(entry.getKey(), entry.getValue());
                changes.variables.put(entry.getKey().toString(), before == null ? "added" : "changed");
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static void findInternals() throws ReflectiveOperationException {
        startTime = ProcessHandle.current().getClass().getDeclaredMethod("isAlive0", long.class);
        startTime.setAccessible(true);
        variable = factory("java.lang.ProcessEnvironment$Variable");
        value = factory("java.lang.ProcessEnvironment$Value");
        Field field = Class.forName("java.lang.ProcessEnvironment").getDeclaredField("theEnvironment");
        field.setAccessible(true);
        environment = (Map<Object, Object>) field.get(null);
    }

    private static Method factory(String className) throws ReflectiveOperationException {
        Method method = Class.forName(className).getDeclaredMethod("valueOf", byte[].class);
        method.setAccessible(true);
        return method;
    }

    /** ProcessHandle.current() is made once; to isAlive() it is a process with this id and this start time. */
    private static void replaceProcessId(int pid) throws ReflectiveOperationException {
        ProcessHandle current = ProcessHandle.current();
        setLong(current, "pid", pid);
        setLong(current, "startTime", (long) startTime.invoke(null, (long) pid));
    }

    private static void setLong(Object object, String name, long value) throws ReflectiveOperationException {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.setLong(object, value);
    }
}
