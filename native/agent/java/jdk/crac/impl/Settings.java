package jdk.crac.impl;

/** What the environment of the build decides. */
final class Settings {
    private Settings() {
    }

    /** A variable with a number of seconds; what cannot be read as one counts as absent, and is told. */
    static int seconds(String name, int absent) {
        String text = System.getenv(name);
        if (text == null || text.isEmpty()) {
            return absent;
        }
        if (text.matches("[0-9]{1,6}")) {
            return Integer.parseInt(text);
        }
        System.err.println("crac: warning: " + name + "=" + text + " is not a number of seconds: " + absent
                + " s are taken");
        return absent;
    }
}
