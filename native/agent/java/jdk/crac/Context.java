package jdk.crac;

/** A resource that notifies other resources: contexts nest by being registered in one another. */
public abstract class Context<R extends Resource> implements Resource {
    protected Context() {
    }

    @Override
    public abstract void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException;

    @Override
    public abstract void afterRestore(Context<? extends Resource> context) throws RestoreException;

    /** Registers a resource, which the context does not keep alive. */
    public abstract void register(R resource);
}
