package jdk.crac.impl;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;

/** One open file, pipe, socket or other object of the kernel, as descriptors.c tells it. */
final class Descriptor {
    private static final int FIELD_COUNT = 15;
    private static final int ACCESS_MODE = 3;
    private static final int PATH_ONLY = 010000000;
    private static final int LISTEN = 10;
    private static final int CLOSED = 7;
    /** CLOSE_WAIT, LAST_ACK, CLOSING: nothing more comes from the peer. */
    private static final List<Integer> PEER_HAS_GONE = List.of(8, 9, 11);

    final int fd;
    final String kind;
    private final int flags;
    final String name;
    private final boolean isDeleted;
    final String inode;
    /** Of sockets: unix, ipv4, ipv6 or other; stream, datagram, packets or raw. */
    final String family;
    final String type;
    private final int state;
    final String localAddress;
    final int localPort;
    /** Of unix sockets: the peer's name, or where it is: "inside" the process, "outside". */
    final String remoteAddress;
    final int remotePort;
    private final long waitingBytes;
    private final boolean isLocked;

    private Descriptor(String[] fields, int at) {
        fd = Integer.parseInt(fields[at]);
        kind = fields[at + 1];
        flags = Integer.parseUnsignedInt(fields[at + 2]);
        String deleted = " (deleted)";
        isDeleted = fields[at + 4].equals("0");
        name = isDeleted && fields[at + 3].endsWith(deleted)
                ? fields[at + 3].substring(0, fields[at + 3].length() - deleted.length()) : fields[at + 3];
        inode = fields[at + 5];
        family = fields[at + 6];
        type = fields[at + 7];
        boolean isSocket = isSocket();
        state = isSocket ? Integer.parseInt(fields[at + 8]) : 0;
        localAddress = fields[at + 9];
        localPort = isSocket ? Integer.parseInt(fields[at + 10]) : 0;
        remoteAddress = fields[at + 11];
        remotePort = isSocket ? Integer.parseInt(fields[at + 12]) : 0;
        waitingBytes = isSocket ? Long.parseLong(fields[at + 13]) : 0;
        isLocked = fields[at + 14].equals("locked");
    }

    /** All but standard input, output and error, and the control channel. */
    static List<Descriptor> all() {
        String[] fields = new String(list(), nativeCharset()).split("\0", -1);
        List<Descriptor> all = new ArrayList<>();
        for (int at = 0; at + FIELD_COUNT < fields.length; at += FIELD_COUNT) {
            all.add(new Descriptor(fields, at));
        }
        return all;
    }

    private static Charset nativeCharset() {
        try {
            return Charset.forName(System.getProperty("sun.jnu.encoding"));
        } catch (IllegalArgumentException unknown) {
            return Charset.defaultCharset();
        }
    }

    private static native byte[] list();

    /** The `type` of a rule that this falls under. */
    String resourceType() {
        switch (kind) {
            case "file":
            case "folder":
            case "device":
            case "fifo":
                return "file";
            case "pipe":
            case "socket":
                return kind;
            default:
                return "filedescriptor";
        }
    }

    boolean isSocket() {
        return kind.equals("socket");
    }

    boolean isTcp() {
        return type.equals("stream") && (family.equals("ipv4") || family.equals("ipv6"));
    }

    /** TCP, UDP or unix, and no raw socket. */
    boolean isOfAppKind() {
        return (isUnix() || family.startsWith("ipv")) && !type.equals("raw");
    }

    boolean isUnix() {
        return family.equals("unix");
    }

    boolean isPeerNamed() {
        return isUnix() && !remoteAddress.isEmpty() && !remoteAddress.equals("inside")
                && !remoteAddress.equals("outside");
    }

    boolean isDeleted() {
        return isDeleted;
    }

    /** The process holds a lock or a lease on the file. */
    boolean isLocked() {
        return isLocked;
    }

    /** What takes the place of a file that was closed by a rule, in a restored process. */
    boolean isStandIn() {
        return kind.equals("folder") && (flags & PATH_ONLY) != 0 && name.equals("/");
    }

    boolean isWritable() {
        return (flags & ACCESS_MODE) != 0;
    }

    boolean isListening() {
        return isSocket() && state == LISTEN;
    }

    boolean isConnected() {
        return isSocket() && !remoteAddress.isEmpty();
    }

    /** A TCP connection that has nothing to lose: the peer has ended it. */
    boolean isEnded() {
        return isTcp() && isConnected() && (PEER_HAS_GONE.contains(state) || state == CLOSED) && waitingBytes == 0;
    }

    boolean isIdle() {
        return waitingBytes == 0;
    }

    @Override
    public String toString() {
        String number = " (descriptor " + fd + ")";
        if (!isSocket()) {
            return name + number;
        }
        String protocol = isTcp() ? "TCP" : isUnix() ? "unix" : type.equals("datagram") ? "UDP" : type;
        if (isUnix()) {
            return "unix socket" + (localAddress.isEmpty() ? "" : " " + localAddress)
                    + (isPeerNamed() ? " to " + remoteAddress : "") + number;
        }
        if (isListening()) {
            return "socket listening on " + address(localAddress, localPort) + number;
        }
        return isConnected()
                ? protocol + " connection " + address(localAddress, localPort) + " to "
                        + address(remoteAddress, remotePort) + number
                : protocol + " socket" + (localPort == 0 ? "" : " on " + address(localAddress, localPort)) + number;
    }

    private static String address(String host, int port) {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
