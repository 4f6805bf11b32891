package jdk.crac.impl;

import java.io.File;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Which descriptors belong to the JDK and the class path, and not to the app: nobody is asked about those. */
final class Ownership {
    private static final List<String> RANDOM_DEVICES = List.of("/dev/random", "/dev/urandom");
    private static final List<String> PATHS =
            List.of("java.class.path", "jdk.module.path", "jdk.module.upgrade.path", "java.home");

    private final List<String> owned = new ArrayList<>();
    /** Pipes that have both their ends in this process. */
    private final Set<String> wholePipes = new HashSet<>();

    Ownership(List<Descriptor> all) {
        for (String property : PATHS) {
            for (String entry : System.getProperty(property, "").split(File.pathSeparator)) {
                if (!entry.isEmpty()) {
                    owned.add(canonicalPath(entry));
                }
            }
        }
        Set<String> readEnds = new HashSet<>();
        for (Descriptor each : all) {
            if (each.kind.equals("pipe") && !each.isWritable()) {
                readEnds.add(each.inode);
            }
        }
        for (Descriptor each : all) {
            if (each.kind.equals("pipe") && each.isWritable() && readEnds.contains(each.inode)) {
                wholePipes.add(each.inode);
            }
        }
    }

    private static String canonicalPath(String path) {
        try {
            return new File(path).getCanonicalPath();
        } catch (java.io.IOException unknown) {
            return new File(path).getAbsolutePath();
        }
    }

    /** Opened by the JDK for itself: jars of the class path, its own files, random devices, selectors. */
    boolean isOfTheJdk(Descriptor descriptor) {
        switch (descriptor.kind) {
            case "epoll":
            case "eventfd":
                return true;
            case "file":
                return !descriptor.isWritable() && !descriptor.isDeleted() && isOwned(descriptor.name);
            case "folder":
                return descriptor.isStandIn();
            case "device":
                return RANDOM_DEVICES.contains(descriptor.name);
            case "socket": // that which takes the place of sockets while they are being closed, and selectors' own
                return descriptor.isUnix() && descriptor.localAddress.isEmpty()
                        && (!descriptor.isConnected() || descriptor.remoteAddress.equals("inside"));
            default:
                return false;
        }
    }

    private boolean isOwned(String name) {
        for (String path : owned) {
            if (name.equals(path) || name.startsWith(path + "/")) {
                return true;
            }
        }
        return false;
    }

    boolean isWholePipe(Descriptor descriptor) {
        return wholePipes.contains(descriptor.inode);
    }
}
