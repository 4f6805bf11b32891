package jdk.crac.impl;

/** Something is open that cannot be taken along. The cause, where it is known, is where it was opened. */
public class CheckpointOpenResourceException extends Exception {
    private static final long serialVersionUID = 1;
    /** The rule that would allow it, in lines of a policies file; empty when none can. */
    private final String policy;

    CheckpointOpenResourceException(String message, Throwable opener, String policy) {
        super(message, opener);
        this.policy = policy;
    }

    String policy() {
        return policy;
    }
}
