package jdk.crac.impl;

import java.util.concurrent.TimeUnit;
import jdk.crac.Resource;

/**
 * Tells of an afterRestore that runs for longer than CRAC_RESOURCE_TIMEOUT seconds (0: of none), and where it is. It is not
 * interrupted: what it waits for may still come, and without it the app would be half restored.
 */
final class Lookout implements AutoCloseable {
    private static final int LIMIT_SECONDS = 30;

    private final int limitSeconds = Settings.seconds("CRAC_RESOURCE_TIMEOUT", LIMIT_SECONDS);
    private final Thread watched = Thread.currentThread();
    /** The thread of the agent that calls look(); 0: none. */
    private final long watcher = limitSeconds == 0 ? 0 : start(TimeUnit.SECONDS.toMillis(limitSeconds));
    /** Guarded by this: null when nothing is to be watched, or it has been told. */
    private Resource current;
    private long deadline;

    /** Before the checkpoint: its methods are not to be linked after the restore. */
    static void rehearse() {
        try (Lookout lookout = new Lookout()) {
            lookout.enter(null);
        }
    }

    synchronized void enter(Resource resource) {
        current = resource;
        deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(limitSeconds);
    }

    /** Called by the agent when the time may be up; returns in how many milliseconds to call again. */
    private synchronized long look() {
        long leftMs = (deadline - System.nanoTime()) / 1_000_000 + 1;
        if (current != null && leftMs <= 0) {
            tell(current);
            current = null;
        }
        return leftMs > 0 ? leftMs : TimeUnit.SECONDS.toMillis(limitSeconds);
    }

    private void tell(Resource resource) {
        String message = "afterRestore of " + resource.getClass().getName() + " has not returned within " + limitSeconds
                + " s (CRAC_RESOURCE_TIMEOUT)";
        StringBuilder text = new StringBuilder("crac: warning: ").append(message);
        for (StackTraceElement frame : watched.getStackTrace()) {
            text.append("\n    at ").append(frame);
        }
        Control.hangs(message); // first: whoever reads the line may ask at once
        System.err.println(text);
    }

    @Override
    public void close() {
        end(watcher);
    }

    private native long start(long firstLookMs);

    /** Returns when the thread has ended. */
    private static native void end(long watcher);
}
