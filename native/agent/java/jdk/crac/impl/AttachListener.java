package jdk.crac.impl;

import java.util.List;

/**
 * The socket on which HotSpot listens for jcmd and jstack, once they were used. It is not taken along: in the restored
 * process accept() fails on what takes its place, HotSpot's thread ends, and the next jcmd has a new one listen under the new
 * process id. HotSpot does not close the old one, and remembers its number until then, so only then it can be closed.
 */
final class AttachListener {
    /** That of the last checkpoint. */
    private static int former = -1;

    private AttachListener() {
    }

    /** HotSpot binds it as .tmp and renames the file; the socket keeps the name. */
    static boolean is(Descriptor descriptor) {
        String path = "/tmp/.java_pid" + Native.processId();
        return descriptor.isUnix() && descriptor.isListening()
                && (descriptor.localAddress.equals(path) || descriptor.localAddress.equals(path + ".tmp"));
    }

    /** At a checkpoint: without this, each jcmd and restore would leave a descriptor behind. */
    static void closeFormer(List<Descriptor> all) {
        int current = former;
        for (Descriptor each : all) {
            if (is(each)) {
                current = each.fd;
            }
        }
        for (Descriptor each : all) {
            if (each.fd == former && former != current && each.isUnix() && each.localAddress.isEmpty()) {
                Native.closeDescriptor(former);
            }
        }
        former = current;
    }
}
