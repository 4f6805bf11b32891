package jdk.crac.impl;

import java.nio.charset.Charset;
import java.util.Map;
import java.util.TreeMap;

/** What has changed with a restore, by name; take_over.c calls in here. */
final class Restored {
    static final String REHEARSED = "jdk.crac.impl.rehearsed";

    private static final Map<String, String> properties = new TreeMap<>();
    private static final Map<String, String> variables = new TreeMap<>();

    private Restored() {
    }

    static void endRehearsal() {
        System.clearProperty(REHEARSED);
        properties.clear();
    }

    /** A container argument -Dname=value sets a system property. */
    static void setProperty(byte[] bytes) {
        String argument = new String(bytes, nativeCharset());
        int equals = argument.indexOf('=');
        if (argument.length() == 2 || equals == 2) {
            return;
        }
        String name = equals < 0 ? argument.substring(2) : argument.substring(2, equals);
        String content = equals < 0 ? "" : argument.substring(equals + 1);
        String before = System.setProperty(name, content);
        properties.put(name, before == null ? "added" : before.equals(content) ? "unchanged" : "changed");
    }

    /** @param change '+', '-' or '~' */
    static void noteVariable(byte[] name, char change) {
        variables.put(new String(name, nativeCharset()), change == '+' ? "added" : change == '-' ? "removed" : "changed");
    }

    /** With CRAC_LOG=debug. Names without values: those may be secrets. */
    static void tellAll() {
        variables.clear();
        if (tell()) {
            System.err.println("crac: environment: " + describe(variables));
            System.err.println("crac: properties: " + describe(properties));
        }
    }

    private static String describe(Map<String, String> changes) {
        if (changes.isEmpty()) {
            return "as at the checkpoint";
        }
        StringBuilder text = new StringBuilder();
        changes.forEach((name, what) -> text.append(text.length() == 0 ? "" : ", ").append(name).append(' ').append(what));
        return text.toString();
    }

    private static Charset nativeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding"));
        } catch (IllegalArgumentException unknown) {
            return Charset.defaultCharset();
        }
    }

    /** False unless all is to be told: otherwise tells how long it took, and calls noteVariable() for each change. */
    private static native boolean tell();

    /** Warns of options for the JVM that came too late. */
    static native void warnOfOptions();
}
