package jdk.crac.impl;

/** What libcrac.so does; the JVM finds the functions in the agent's library. */
final class Native {
    private Native() {
    }

    /** Why this process cannot be checkpointed, or null. Throws UnsatisfiedLinkError where the agent is missing. */
    static native String obstacle();

    static native int processId();

    /** Short name of the collector: Serial, Parallel, G1, Z, Shenandoah or Epsilon. */
    static native String collector();

    static native long nanoOffsetAddress();

    /** By which features of the CPU the JVM and the C library chose their code, as JSON: {"jvm":[NAME…],"libc":[cpuid leaf…]}. */
    static native String cpuFeatures();

    static native void closeDescriptor(int fd);

    /** Opens a package of a module to another one. */
    static native void open(Module module, String packageName, Module to);

    /** Anonymous memory that is resident; 0 where the kernel does not tell. */
    static native long residentBytes();

    /** Waits until the JIT compilers have had nothing to do for a while; false when the time was up before. */
    static native boolean awaitIdleCompilers(int limitMs);

    /** A full collection. */
    static native void collect();

    /**
     * A full collection, at whose end the free heap is given back to the kernel. Returns why it was not, or null.
     *
     * @param told gets the bytes given back and the nanoseconds that this took
     */
    static native String collectAndDropFreeHeap(long[] told);

    /** The text of GC.class_histogram, or null where the JVM does not tell. */
    static native String classHistogram();

    /** Finds the generators of random numbers, which get new seeds after the restore. */
    static native void findGenerators();

    /** To be called after the last collection. */
    static native void passCodeBarriers();

    /** False where the C library has no such function. */
    static native boolean trimMalloc();

    /** Creates a mailbox in state WAITING with a fresh nonce. */
    static native long publishMailbox();

    static native int mailboxBytes();

    static native long mailboxNonce(long mailbox);

    /** States of the mailbox, and what else can end the waiting. */
    static final int NOBODY_DUMPED = 1;
    static final int RESTORED = 2;
    static final int CLIENT_GONE = -1;

    /**
     * Waits for the end of the state WAITING and returns the new one, or NOBODY_DUMPED when it did not come in time. After a
     * restore the process has its new environment, process id, properties and seeds, and the app's threads go on.
     */
    static native int awaitRestore(long mailbox, int limitMs);

    static native void removeMailbox(long mailbox);

    /** Closes the control channel's listening socket. Returns when it is closed. */
    static native void closeChannel();

    static native void openChannel();

    /** Whether the other end of a connection has closed it. */
    static native boolean hasGone(int connection);

    /** Sends one line to a client of the control channel and closes the connection; false when the client has gone. */
    static native boolean reply(int connection, String line);
}
