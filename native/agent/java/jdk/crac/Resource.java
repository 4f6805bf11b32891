package jdk.crac;

/** Something that must be told before a checkpoint is taken and after a restore. */
public interface Resource {
    /**
     * Called before a checkpoint, in reverse order of registration. An exception stops the checkpoint.
     *
     * @param context the context that notifies
     */
    void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

    /**
     * Called after a restore, or after a checkpoint that was not taken, in order of registration.
     *
     * @param context the context that notifies
     */
    void afterRestore(Context<? extends Resource> context) throws Exception;
}
