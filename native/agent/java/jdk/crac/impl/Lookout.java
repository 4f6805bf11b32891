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
    private final Thread watcher = limitSeconds == 0 ? null : new Thread(null, this::watch, "crac lookout", 0, false);
    /** Guarded by this: null when nothing is to be watched, or it has been told. */
    private Resource current;
    private long deadline;
    private boolean closed;

    Lookout() {
        if (watcher != null) {
            watcher.setDaemon(true);
            watcher.start();
        }
    }

    /** Before the checkpoint: its classes are not to be loaded for the first time after the restore. */
    static void rehearse() {
        Lookout lookout = new Lookout();
        lookout.close();
        try {
            if (lookout.watcher != null) {
                lookout.watcher.join(); // it must not be in the dump
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    synchronized void enter(Resource resource) {
        current = resource;
        deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(limitSeconds);
        notifyAll();
    }

    private synchronized void watch() {
        while (!closed) {
            long leftMs = current == null ? 0 : (deadline - System.nanoTime()) / 1_000_000 + 1;
            try {
                if (current == null || leftMs > 0) {
                    wait(leftMs);
                } else {
                    tell(current);
                    current = null;
                }
            } catch (InterruptedException notOurs) {
                // nobody knows this thread; the loop looks again
            }
        }
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
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
