package jdk.crac.impl;

import java.util.ArrayList;
import java.util.List;

/** The steps of a preparation: how long each took, and what it gave back to the kernel. */
final class Steps {
    /** What a client may have left out; src/steps.ts has the same names. */
    static final List<String> SKIPPABLE = List.of("jit-idle", "collect", "arenas", "histogram", "free-heap", "trim");

    private static final class Step {
        final String name;
        long nanos;
        long freedBytes;
        String note;

        Step(String name) {
            this.name = name;
        }
    }

    private final List<Step> steps = new ArrayList<>();
    private List<String> skipped = List.of();
    private long sinceNanos = System.nanoTime();
    private long residentBytes = Native.residentBytes();

    void skip(List<String> names) {
        skipped = names;
    }

    boolean includes(String name) {
        return !skipped.contains(name);
    }

    /** What was done since the last step; it may have been done before, too. */
    void done(String name) {
        done(name, null);
    }

    /** @param note why it did less than it could, or null */
    void done(String name, String note) {
        long nanos = System.nanoTime();
        long bytes = Native.residentBytes();
        add(name, nanos - sinceNanos, residentBytes - bytes, note);
        sinceNanos = nanos;
        residentBytes = bytes;
    }

    /** What has just been done in the course of another step. */
    void doneWithin(String outer, String name, long nanos, long freedBytes, String note) {
        add(name, nanos, freedBytes, note);
        add(outer, -nanos, -freedBytes, null);
    }

    private void add(String name, long nanos, long freedBytes, String note) {
        Step step = null;
        for (Step each : steps) {
            if (each.name.equals(name)) {
                step = each;
            }
        }
        if (step == null) {
            step = new Step(name);
            steps.add(step);
        }
        step.nanos += nanos;
        step.freedBytes += freedBytes;
        if (note != null) {
            step.note = note;
        }
    }

    String toJson() {
        StringBuilder json = new StringBuilder("[");
        for (Step step : steps) {
            if (json.length() > 1) {
                json.append(',');
            }
            json.append("{\"name\":").append(Json.quote(step.name))
                    .append(",\"ms\":").append(tenths(step.nanos))
                    .append(",\"freedBytes\":").append(step.freedBytes);
            if (step.note != null) {
                json.append(",\"note\":").append(Json.quote(step.note));
            }
            json.append('}');
        }
        return json.append(']').toString();
    }

    /** Milliseconds with one digit after the point, without what the JVM would load for a floating-point number. */
    private static String tenths(long nanos) {
        long tenths = Math.max(nanos, 0) / 100_000;
        return tenths / 10 + "." + tenths % 10;
    }
}
