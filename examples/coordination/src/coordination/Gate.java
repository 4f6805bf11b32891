package coordination;

import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import jdk.crac.Context;
import jdk.crac.Resource;

/**
 * Quiet: what has passed is finished before the checkpoint, what comes later waits until the app is restored. To be
 * registered last: so it closes before anything behind it is let go, and opens when all of that is back.
 *
 * A semaphore and no ReadWriteLock: afterRestore may come in another thread than beforeCheckpoint, and a lock belongs to
 * a thread.
 */
final class Gate implements Resource {
    private static final int ALL = Integer.MAX_VALUE;
    /** Fair: work that comes while the gate waits to be closed does not overtake it. */
    private final Semaphore permits = new Semaphore(ALL, true);
    private volatile boolean isClosed;

    <T> T pass(Callable<T> work) throws Exception {
        permits.acquire();
        try {
            return work.call();
        } finally {
            permits.release();
        }
    }

    /** Interrupted after CRAC_RESOURCE_TIMEOUT when the work does not end: then there is no checkpoint. */
    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws InterruptedException {
        permits.acquire(ALL);
        isClosed = true;
    }

    /** Also called when beforeCheckpoint has failed. */
    @Override
    public void afterRestore(Context<? extends Resource> context) {
        if (isClosed) {
            isClosed = false;
            permits.release(ALL);
        }
    }
}
