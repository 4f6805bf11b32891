package jdk.crac.impl;

/** What must not be the same in two processes restored from one image, and what ties the process to its surroundings. */
final class Renewal {
    private static boolean hadPerfData;

    private Renewal() {
    }

    /** Before the app hears of the checkpoint. */
    static void begin() {
        hadPerfData = hidePerfData();
    }

    /** There was no checkpoint. */
    static void giveUp() {
        forget();
        if (hadPerfData) {
            showPerfData();
        }
    }

    /** Last of all that runs before the JVM is brought to rest. */
    static void rehearse() {
        forget();
        reseed(); // there is nothing to be reseeded yet
        Restored.rehearse();
        Processors.remember();
        Lookout.rehearse();
        Native.openChannel(); // it is open
    }

    /** In the restored process, before the app's resources hear of it. */
    static void takeOver(long mailbox) {
        long began = System.nanoTime();
        int count = reseed();
        long reseeded = System.nanoTime();
        byte[][] changes = Restored.takeOver(mailbox);
        forget();
        showToTools();
        if ("debug".equals(System.getenv("CRAC_LOG"))) {
            long end = System.nanoTime();
            System.err.println("crac: " + count + " generators and threads have new seeds, after " + (reseeded - began) / 1000
                    + " us; all taken over after " + (end - began) / 1000 + " us");
            Restored.tell(changes);
        }
    }

    /** Gives new seeds to the generators of random numbers, and lets timers catch up with the clock; returns how many seeds. */
    private static native int reseed();

    /** Lets go of what was found before the checkpoint. */
    private static native void forget();

    /** Puts the JVM's counters where jps and jstat look for them. */
    private static native void showPerfData();

    /** Has the control thread do so when it opens its channel; and jcmd is not misled by what another JVM has left. */
    private static native void showToTools();

    /** Takes them away; false when they were not there. */
    private static native boolean hidePerfData();

    /** To what the heap may grow (-Xmx, or what the JVM took at its start); it cannot be changed any more. */
    static native long maxHeapBytes();

    /** A mailbox with this argument and the environment of this process; Native.removeMailbox() is for it as well. */
    static native long rehearsalMailbox(String argument);
}
