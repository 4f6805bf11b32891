package jdk.crac.impl;

import java.util.ArrayList;
import java.util.List;
import jdk.crac.CheckpointException;
import jdk.crac.RestoreException;

/** Tells in JSON why a checkpoint was not taken, or what failed after a restore. */
final class Refusal {
    private Refusal() {
    }

    static String render(Throwable refusal) {
        List<String> details = new ArrayList<>();
        for (Throwable each : refusal.getSuppressed()) {
            details.add(describe(each));
        }
        return Json.error(summarize(refusal), details);
    }

    private static String summarize(Throwable refusal) {
        if (!(refusal instanceof CheckpointException) && !(refusal instanceof RestoreException)) {
            return describe(refusal);
        }
        if (refusal.getMessage() != null) {
            return refusal.getMessage();
        }
        return refusal instanceof CheckpointException ? "the app refused the checkpoint"
                : "the app was restored, but not all of it took up work again";
    }

    /** What, where it was thrown, and in which notification. */
    private static String describe(Throwable thrown) {
        StackTraceElement[] trace = thrown.getStackTrace();
        if (trace.length == 0) {
            return thrown.toString();
        }
        for (int i = 1; i < trace.length; i++) {
            String method = trace[i].getMethodName();
            if (method.equals("beforeCheckpoint") || method.equals("afterRestore")) {
                return trace[i].getClassName().startsWith("jdk.crac.impl.") ? thrown + " at " + trace[0]
                        : thrown + " at " + trace[0] + ", in " + trace[i];
            }
        }
        return thrown + " at " + trace[0];
    }
}
