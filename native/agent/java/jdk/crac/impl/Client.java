package jdk.crac.impl;

/** A connection of the control channel whose other end will take the dump. */
final class Client {
    private final int connection;
    final int settleMs;

    Client(int connection, int settleMs) {
        this.connection = connection;
        this.settleMs = settleMs;
    }

    /** The last word to this client; false when it has gone. */
    boolean reply(String line) {
        return Native.reply(connection, line);
    }
}
