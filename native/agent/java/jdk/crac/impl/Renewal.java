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

    /** Last of all that runs before the JVM is brought to rest: what is to be done after the restore has then been done once. */
    static void rehearse() {
        forget();
        rehearseTakeOver("-D" + Restored.REHEARSED + "=");
        Restored.endRehearsal();
        prepareForTools();
        Processors.remember();
        Lookout.rehearse();
        Native.openChannel(); // it is open
    }

    /** In the restored process, when the app's threads go on, and before its resources hear of it. */
    static void finish() {
        forget();
        showToTools();
        Restored.warnOfOptions();
        Restored.tellAll();
    }

    /** Does what the agent does in the restored process, to a copy of the environment and with this argument. */
    private static native void rehearseTakeOver(String argument);

    /** Lets go of what was found before the checkpoint. */
    private static native void forget();

    private static native void prepareForTools();

    /** Puts the JVM's counters where jps and jstat look for them. */
    private static native void showPerfData();

    /** Has the control thread do so when it opens its channel; and jcmd is not misled by what another JVM has left. */
    private static native void showToTools();

    /** Takes them away; false when they were not there. */
    private static native boolean hidePerfData();

    /** To what the heap may grow (-Xmx, or what the JVM took at its start); it cannot be changed any more. */
    static native long maxHeapBytes();
}
