package jdk.crac.impl;

/** A file is open. */
public class CheckpointOpenFileException extends CheckpointOpenResourceException {
    private static final long serialVersionUID = 1;

    CheckpointOpenFileException(String message, Throwable opener, String policy) {
        super(message, opener, policy);
    }
}
