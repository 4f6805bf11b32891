package jdk.crac.impl;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What is new in the process after a restore: environment, arguments, process id. */
final class Restored {
    /** So often that the JVM has done with making reflection faster, which takes it 15 calls. */
    private static final int REHEARSALS = 20;
    private static final String REHEARSED_PROPERTY = "jdk.crac.impl.rehearsed";

    private static Map<Object, Object> environment;
    /** What -D arguments have done. */
    private static final Map<String, String> properties = new TreeMap<>();
    private static Method variable;
    private static Method value;
    /** ProcessHandle.current() is made once; to isAlive() it is a process with this id and this start time. */
    private static Field handlePid;
    private static Field handleStart;
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
        Native.takeEnvironment(mailbox);
        byte[][] arguments = Native.arguments(mailbox);
        Native.removeMailbox(mailbox);
        byte[][] changes = {("+" + REHEARSED_PROPERTY + "=").getBytes(), ("-" + REHEARSED_PROPERTY).getBytes()};
        for (int i = 0; i < REHEARSALS; i++) {
            takeOver(changes, arguments, environment == null ? null : new HashMap<>(environment));
        }
        System.clearProperty(REHEARSED_PROPERTY);
    }

    /** Returns what has changed, for tell(). */
    static byte[][] takeOver(long mailbox) {
        byte[][] changes = Native.takeEnvironment(mailbox);
        takeOver(changes, Native.arguments(mailbox), environment);
        return changes;
    }

    private static void takeOver(byte[][] changes, byte[][] arguments, Map<Object, Object> target) {
        try {
            if (target != null) {
                changeEnvironment(target, changes);
            }
            if (handleStart != null) {
                int pid = Native.processId();
                handlePid.setLong(ProcessHandle.current(), pid);
                handleStart.setLong(ProcessHandle.current(), (long) startTime.invoke(null, (long) pid));
            }
        } catch (ReflectiveOperationException | RuntimeException unknownJdk) {
            System.err.println("crac: warning: this JDK's environment or process id cannot be replaced: " + unknownJdk);
        }
        properties.clear();
        for (byte[] argument : arguments) {
            setProperty(new String(argument, nativeCharset()));
        }
    }

    /** Names of variables and properties, without values: those may be secrets. */
    static void tell(byte[][] changes) {
        Map<String, String> variables = new TreeMap<>();
        for (int i = 0; i < changes.length && changes[i] != null; i++) {
            String what = changes[i][0] == '+' ? "added" : changes[i][0] == '-' ? "removed" : "changed";
            variables.put(new String(changes[i], 1, nameEnd(changes[i]) - 1, nativeCharset()), what);
        }
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

    /** A container argument -Dname=value sets a system property. */
    private static void setProperty(String argument) {
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
        properties.put(name, before == null ? "added" : before.equals(content) ? "unchanged" : "changed");
    }

    private static Charset nativeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding"));
        } catch (IllegalArgumentException unknown) {
            return Charset.defaultCharset();
        }
    }

    /**
     * The one map behind System.getenv() and ProcessBuilder.environment() is changed in place: both hold on to it. Only
     * what differs is touched: other threads read this map without a lock.
     */
    private static void changeEnvironment(Map<Object, Object> target, byte[][] changes)
            throws ReflectiveOperationException {
        for (byte[] change : changes) {
            if (change == null) {
                return;
            }
            int end = nameEnd(change);
            Object name = variable.invoke(null, Arrays.copyOfRange(change, 1, end));
            if (change[0] == '-') {
                target.remove(name);
            } else {
                target.put(name, value.invoke(null, Arrays.copyOfRange(change, end + 1, change.length)));
            }
        }
    }

    /** After the kind of the change and the name, which may begin with '='. */
    private static int nameEnd(byte[] change) {
        int end = 2;
        while (end < change.length && change[end] != '=') {
            end++;
        }
        return end;
    }

    @SuppressWarnings("unchecked")
    private static void findInternals() throws ReflectiveOperationException {
        Class<?> handle = ProcessHandle.current().getClass();
        startTime = handle.getDeclaredMethod("isAlive0", long.class);
        startTime.setAccessible(true);
        handlePid = field(handle, "pid");
        handleStart = field(handle, "startTime");
        variable = factory("java.lang.ProcessEnvironment$Variable");
        value = factory("java.lang.ProcessEnvironment$Value");
        environment = (Map<Object, Object>) field(Class.forName("java.lang.ProcessEnvironment"), "theEnvironment").get(null);
    }

    private static Field field(Class<?> holder, String name) throws ReflectiveOperationException {
        Field field = holder.getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    private static Method factory(String className) throws ReflectiveOperationException {
        Method method = Class.forName(className).getDeclaredMethod("valueOf", byte[].class);
        method.setAccessible(true);
        return method;
    }
}
