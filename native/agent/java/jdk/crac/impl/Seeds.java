package jdk.crac.impl;

import java.security.SecureRandomSpi;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Tells generators that the app has seeded from the others: only those others may get a new seed after a restore. The
 * JDK keeps no note of it, so a few lines are put into two of its classes (class_edits.c), and they call in here.
 */
public final class Seeds {
    /** SHA1PRNGs whose sequence follows from the app's seed. There are few: only setSeed() before the first use makes one. */
    private static final Map<SecureRandomSpi, Boolean> SEEDED = Collections.synchronizedMap(new WeakHashMap<>());

    private Seeds() {
    }

    /** The mark of a java.util.Random without a seed of the app's: the class of the object that holds its state. */
    static final class Unseeded extends AtomicLong {
        private static final long serialVersionUID = 1;
        private volatile boolean isSeeded;

        private Unseeded(long seed) {
            super(seed);
        }
    }

    /** Random(): takes the place of its state. */
    public static AtomicLong replaceState(AtomicLong state) {
        return new Unseeded(state.get());
    }

    /** Random.setSeed(seed): from here on the sequence is the app's. */
    public static void setSeed(AtomicLong state) {
        if (state instanceof Unseeded) {
            ((Unseeded) state).isSeeded = true;
        }
    }

    /** SHA1PRNG's engineSetSeed: without a state before, the sequence follows from this seed alone. */
    public static void setSeed(SecureRandomSpi generator, byte[] state) {
        if (state == null) {
            SEEDED.put(generator, Boolean.TRUE);
        }
    }

    static boolean isSeeded(SecureRandomSpi generator) {
        return SEEDED.containsKey(generator);
    }
}
