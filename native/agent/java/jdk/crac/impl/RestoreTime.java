package jdk.crac.impl;

/** When this process was last restored; the agent notes it before the app's threads go on. */
public final class RestoreTime {
    private RestoreTime() {
    }

    /** -1 when it was not. */
    public static native long epochMs();

    /** -1 when it was not. */
    public static native long uptimeMs();
}
