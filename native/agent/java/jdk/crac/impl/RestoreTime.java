package jdk.crac.impl;

/** When this process was last restored. */
public final class RestoreTime {
    /** Guarded by the class. */
    private static long epochMs = -1;
    private static long nanos;

    private RestoreTime() {
    }

    /** -1 when it was not. */
    public static synchronized long epochMs() {
        return epochMs;
    }

    /** -1 when it was not. Not the difference of two wall clocks, which somebody may set. */
    public static synchronized long uptimeMs() {
        return epochMs < 0 ? -1 : (System.nanoTime() - nanos) / 1_000_000;
    }

    static synchronized void take(long mailbox) {
        long now = System.currentTimeMillis();
        long began = Native.restoreBeganMs(mailbox);
        epochMs = began > 0 && began <= now ? began : now;
        nanos = System.nanoTime() - (now - epochMs) * 1_000_000;
    }
}
