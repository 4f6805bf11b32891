package jdk.crac;

import jdk.crac.impl.Checkpoint;

/** The way in: the global context, and the request for a checkpoint. */
public final class Core {
    private Core() {
    }

    /** The context that is notified of checkpoint and restore; it holds its resources by weak reference. */
    public static Context<Resource> getGlobalContext() {
        return Checkpoint.CONTEXT;
    }

    /**
     * Has a checkpoint taken, and returns in the restored process.
     *
     * @throws CheckpointException no checkpoint was taken, the process goes on as before
     * @throws RestoreException the process was restored, but a resource failed in afterRestore
     * @throws UnsupportedOperationException this JVM was not started for a checkpoint
     */
    public static void checkpointRestore() throws CheckpointException, RestoreException {
        Checkpoint.request();
    }
}
