package jdk.crac.impl;

/** A socket is open. */
public class CheckpointOpenSocketException extends CheckpointOpenResourceException {
    private static final long serialVersionUID = 1;

    CheckpointOpenSocketException(String message, Throwable opener, String policy) {
        super(message, opener, policy);
    }
}
