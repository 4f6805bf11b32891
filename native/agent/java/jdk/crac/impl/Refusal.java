package jdk.crac.impl;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import jdk.crac.CheckpointException;
import jdk.crac.RestoreException;

/** Tells in JSON why a checkpoint was not taken, or what failed after a restore. */
final class Refusal {
    private Refusal() {
    }

    static String render(Throwable refusal) {
        List<String> details = new ArrayList<>();
        Set<String> policies = new LinkedHashSet<>();
        for (Throwable each : refusal.getSuppressed()) {
            if (each instanceof CheckpointOpenResourceException) {
                describeOpen((CheckpointOpenResourceException) each, details);
                policies.add(((CheckpointOpenResourceException) each).policy());
            } else if (isOwn(each)) {
                details.addAll(List.of(each.getMessage().split("\n")));
            } else {
                details.add(describe(each));
            }
        }
        policies.remove("");
        String error = Json.error(summarize(refusal), details);
        return policies.isEmpty() ? error : error.substring(0, error.length() - 1) + ",\"policies\":"
                + Json.quote(String.join("\n---\n", policies)) + "}";
    }

    /** A sentence of the runtime itself, which nobody threw. */
    private static boolean isOwn(Throwable thrown) {
        StackTraceElement[] trace = thrown.getStackTrace();
        return thrown.getClass() == CheckpointException.class && thrown.getMessage() != null && trace.length > 0
                && trace[0].getClassName().equals(OpenResources.class.getName());
    }

    private static void describeOpen(CheckpointOpenResourceException problem, List<String> details) {
        details.add(problem.getMessage());
        Throwable opener = problem.getCause();
        if (opener != null) {
            details.add("  " + opener.getMessage());
            for (StackTraceElement frame : opener.getStackTrace()) {
                details.add("    at " + frame);
            }
        } else if (Boolean.getBoolean(Openers.PROPERTY)) {
            details.add("  not opened by Java code");
        }
    }

    private static String summarize(Throwable refusal) {
        if (!(refusal instanceof CheckpointException) && !(refusal instanceof RestoreException)) {
            return describe(refusal);
        }
        if (refusal.getMessage() != null) {
            return refusal.getMessage();
        }
        for (int i = 0; i < refusal.getSuppressed().length; i++) {
            if (!(refusal.getSuppressed()[i] instanceof CheckpointOpenResourceException)) {
                break;
            }
            if (i == refusal.getSuppressed().length - 1) {
                return "what it has open cannot be taken along";
            }
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
                return trace[i].getClassName().startsWith("jdk.crac.impl.") ? thrown + " at " + render(trace[0])
                        : thrown + " at " + render(trace[0]) + ", in " + render(trace[i]);
            }
        }
        return thrown + " at " + render(trace[0]);
    }

    /** Without module, version and loader. */
    private static String render(StackTraceElement frame) {
        String line = frame.getLineNumber() > 0 ? ":" + frame.getLineNumber() : "";
        return frame.getClassName() + "." + frame.getMethodName() + "(" + frame.getFileName() + line + ")";
    }
}
