package jdk.crac.impl;

/** What must not be the same in two processes restored from one image. Found while the checkpoint is prepared. */
final class Renewal {
    private Renewal() {
    }

    /** Gives new seeds to the generators of random numbers; returns how many there are. */
    static native int reseed();

    /** Lets go of what was found. */
    static native void forget();
}
