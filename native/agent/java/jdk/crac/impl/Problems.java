package jdk.crac.impl;

import java.util.ArrayList;
import java.util.List;

/** Gathers what resources throw during one phase: exceptions to be reported together, and the first Error, which wins. */
final class Problems {
    private final Class<? extends Exception> phase;
    private final List<Throwable> exceptions = new ArrayList<>();
    private Error error;

    /** @param phase exceptions of exactly this class are carriers: what they suppressed is taken out of them */
    Problems(Class<? extends Exception> phase) {
        this.phase = phase;
    }

    void add(Throwable thrown) {
        if (thrown instanceof Error) {
            if (error == null) {
                error = (Error) thrown;
            } else {
                error.addSuppressed(thrown);
            }
            return;
        }
        if (thrown instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        Throwable[] carried = thrown.getSuppressed();
        if (thrown.getClass() != phase || carried.length == 0) {
            exceptions.add(thrown);
            return;
        }
        for (Throwable each : carried) {
            exceptions.add(each);
        }
    }

    /** Throws the Error, or the exception with everything gathered suppressed in it; nothing when there is nothing. */
    <E extends Exception> void throwAs(E carrier) throws E {
        if (error != null) {
            for (Throwable each : exceptions) {
                error.addSuppressed(each);
            }
            throw error;
        }
        if (!exceptions.isEmpty()) {
            for (Throwable each : exceptions) {
                carrier.addSuppressed(each);
            }
            throw carrier;
        }
    }
}
