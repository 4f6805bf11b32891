package jdk.crac.impl;

import java.util.List;

/** A connection of the control channel whose other end will take the dump. */
final class Client {
    /** -1 when the last word has been said: the number may then belong to another file. */
    private int connection;
    final int settleMs;
    /** Steps to be left out. */
    final List<String> skipped;

    Client(int connection, int settleMs, List<String> skipped) {
        this.connection = connection;
        this.settleMs = settleMs;
        this.skipped = skipped;
    }

    /** The last word to this client; false when it has gone. */
    synchronized boolean reply(String line) {
        int last = connection;
        connection = -1;
        return last >= 0 && Native.reply(last, line);
    }

    synchronized boolean hasGone() {
        return connection < 0 || Native.hasGone(connection);
    }
}
