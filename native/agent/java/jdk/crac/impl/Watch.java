package jdk.crac.impl;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import jdk.crac.Resource;

/**
 * Sees to it that no beforeCheckpoint runs for longer than CRAC_RESOURCE_TIMEOUT seconds (0: as long as it likes). A
 * resource that does is interrupted. One that does not react to that is left alone where it is, and the checkpoint is
 * given up without it: its thread gets to know when it comes back.
 */
final class Watch implements AutoCloseable {
    private static final int LIMIT_SECONDS = 30;
    private static final long GRACE_MS = 2000;

    private final int limitSeconds = Settings.seconds("CRAC_RESOURCE_TIMEOUT", LIMIT_SECONDS);
    private final Thread watched = Thread.currentThread();
    private final Consumer<TimeoutException> giveUp;
    private final Thread watcher;
    /** Guarded by this. */
    private Resource current;
    private long deadline;
    private TimeoutException late;
    private boolean abandoned;
    private boolean closed;

    /** @param giveUp is called, in a thread of the watch, when a resource hangs */
    Watch(Consumer<TimeoutException> giveUp) {
        this.giveUp = giveUp;
        watcher = limitSeconds == 0 ? null : new Thread(null, this::watch, "crac watch", 0, false);
        if (watcher != null) {
            watcher.setDaemon(true);
            watcher.start();
        }
    }

    synchronized void enter(Resource resource) {
        current = resource;
        late = null;
        deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(limitSeconds);
        notifyAll();
    }

    /** The time-out of the resource that returns just now; null when it was in time. */
    synchronized TimeoutException leave() {
        current = null;
        if (late != null) {
            Thread.interrupted(); // was meant for this resource alone
        }
        return late;
    }

    /** Whether the checkpoint was given up while the resource that returns just now was running. */
    synchronized boolean isAbandoned() {
        return abandoned;
    }

    private void watch() {
        synchronized (this) {
            while (!closed && !abandoned) {
                long leftMs = current == null ? 0 : (deadline - System.nanoTime()) / 1_000_000 + 1;
                try {
                    if (current == null || leftMs > 0) {
                        wait(current == null ? 0 : leftMs);
                    } else if (late == null) {
                        late = timeOut();
                        deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE_MS);
                        watched.interrupt();
                    } else {
                        abandoned = true;
                    }
                } catch (InterruptedException notOurs) {
                    // nobody knows this thread; the loop looks again
                }
            }
        }
        if (isAbandoned()) {
            giveUp.accept(late);
        }
    }

    /** With the stack of the thread that is late. */
    private TimeoutException timeOut() {
        TimeoutException timeout = new TimeoutException("beforeCheckpoint of " + current.getClass().getName()
                + " did not return within " + limitSeconds + " s (CRAC_RESOURCE_TIMEOUT)");
        timeout.setStackTrace(watched.getStackTrace());
        return timeout;
    }

    /** Returns when the thread of the watch has ended: it must not be in the dump. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        boolean interrupted = false;
        while (watcher != null && watcher.isAlive()) {
            try {
                watcher.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
