package jdk.crac.impl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.crac.CheckpointException;

/**
 * What the app has open at a checkpoint, and what becomes of it. What the JDK has opened for itself is let alone. For the
 * rest a rule of the policies file decides first; without one
 *
 * <ul>
 * <li>crac.resources=strict refuses everything that is not the JDK's own, as the CRaC JDK does;
 * <li>crac.resources=transparent keeps what can be opened again without loss, lets idle connections of the app's clients
 * end, and refuses the rest.
 * </ul>
 *
 * Nothing is closed here: the app goes on unharmed when there is no checkpoint. What has an action is told to who
 * compiles the dump, and is another thing in the restored process.
 */
final class OpenResources {
    static final String MODE = "crac.resources";
    /** How long an answer that is on its way may take to arrive. */
    private static final long IDLE_LIMIT_NS = 1_000_000_000;
    private static final List<String> STATELESS_DEVICES =
            List.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom");

    private final Policies policies;
    private final boolean isStrict;
    private final List<Descriptor> all;
    private final Ownership ownership;
    private final Set<Integer> listeningPorts = new HashSet<>();
    private final Map<Integer, String> actions = new LinkedHashMap<>();
    private final List<Exception> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private OpenResources(Policies policies, boolean isStrict, List<Descriptor> all) {
        this.policies = policies;
        this.isStrict = isStrict;
        this.all = all;
        ownership = new Ownership(all);
        for (Descriptor each : all) {
            if (each.isListening() && each.isTcp()) {
                listeningPorts.add(each.localPort);
            }
        }
    }

    /**
     * @param refusal what beforeCheckpoint has thrown, or null
     * @throws CheckpointException refusal, or a new one, with everything that is open suppressed: all is told at once
     */
    static void refuse(CheckpointException refusal) throws CheckpointException {
        CheckpointException all = refusal;
        for (Exception problem : check().problems) {
            all = all == null ? new CheckpointException() : all;
            all.addSuppressed(problem);
        }
        if (all != null) {
            throw all;
        }
    }

    /** Shortly before the dump: what becomes of which descriptor, [{"fd":4,"action":"close"},…]. */
    static String decide() throws CheckpointException {
        OpenResources found = check();
        CheckpointException refusal = new CheckpointException();
        for (Exception problem : found.problems) {
            refusal.addSuppressed(problem);
        }
        if (!found.problems.isEmpty()) {
            throw refusal;
        }
        for (String warning : found.warnings) {
            System.err.println("crac: warning: " + warning);
        }
        AttachListener.closeFormer(found.all);
        return found.toJson();
    }

    private static OpenResources check() {
        String mode = System.getProperty(MODE, "transparent");
        OpenResources found = new OpenResources(Policies.NONE, false, List.of());
        if (!mode.equals("strict") && !mode.equals("transparent")) {
            found.problems.add(new CheckpointException(MODE + "=" + mode
                    + " is not known; there are strict and transparent"));
            return found;
        }
        Policies policies;
        try {
            policies = Policies.read();
        } catch (IllegalArgumentException wrongFile) {
            found.problems.add(new CheckpointException(wrongFile.getMessage()));
            return found;
        }
        long deadline = System.nanoTime() + IDLE_LIMIT_NS;
        do {
            found = new OpenResources(policies, mode.equals("strict"), Descriptor.all());
        } while (!found.isQuiet() && System.nanoTime() < deadline && nap());
        found.decideAll();
        return found;
    }

    private static boolean nap() {
        try {
            Thread.sleep(20);
            return true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean isQuiet() {
        for (Descriptor each : all) {
            if (isAccepted(each) && !each.isIdle()) {
                return false;
            }
        }
        return true;
    }

    /** A connection that came to a port that the app listens on. */
    private boolean isAccepted(Descriptor descriptor) {
        return descriptor.isTcp() && descriptor.isConnected() && listeningPorts.contains(descriptor.localPort);
    }

    private void decideAll() {
        for (Descriptor each : all) {
            if (ownership.isOfTheJdk(each)) {
                continue;
            }
            if (AttachListener.is(each)) {
                actions.put(each.fd, "close");
                continue;
            }
            String obstacle = obstacle(each);
            if (obstacle != null) {
                refuse(each, obstacle, "");
                continue;
            }
            Policy rule = policies.find(each);
            if (rule == null) {
                decideByMode(each);
            } else if (rule.action.equals("error")) {
                refuse(each, "a rule of the policies file forbids it", "");
            } else if (rule.action.equals("reopen") && !canBeReopened(each) && !isAccepted(each)) {
                refuse(each, "action: reopen does not work for it; there are ignore and close", lines(each, "close"));
            } else {
                // a rule for a port that is listened on is also met by the connections that came to it
                String action = rule.action.equals("reopen") && isAccepted(each) ? "close" : rule.action;
                actions.put(each.fd, action);
                if (rule.warns) {
                    warnings.add(each + " is open; action: " + action);
                }
            }
        }
    }

    /** Why it cannot even be dumped, whatever is to become of it; or null. */
    private static String obstacle(Descriptor descriptor) {
        if (descriptor.isDeleted() && descriptor.name.matches(".*/ffi\\w{6}")) {
            return "native code calls back into the app through it (libffi, JNA): no rule helps, "
                    + "let JNA keep its library (-Djnidispatch.preserve=true)";
        }
        if (descriptor.isDeleted()) {
            return "it was deleted, but is still open: no rule helps, close it in beforeCheckpoint";
        }
        if (descriptor.isLocked()) {
            return "it is locked (FileLock, FileHandler of java.util.logging): no rule helps, close it in beforeCheckpoint";
        }
        if (descriptor.kind.equals("device") && !STATELESS_DEVICES.contains(descriptor.name)) {
            return "it is a device: no rule helps, close it in beforeCheckpoint";
        }
        if (descriptor.isUnix() && descriptor.isConnected() && !descriptor.remoteAddress.equals("inside")) {
            return "its peer is outside the app: no rule helps, close it in beforeCheckpoint";
        }
        if (descriptor.name.equals("anon_inode:inotify")) {
            return "it watches files (WatchService): no rule helps, close it in beforeCheckpoint";
        }
        return null;
    }

    private static boolean canBeReopened(Descriptor descriptor) {
        return descriptor.isSocket() ? !descriptor.isConnected() && descriptor.isOfAppKind()
                : (descriptor.kind.equals("file") || descriptor.kind.equals("folder")) && !descriptor.isDeleted()
                        || descriptor.kind.equals("device") && STATELESS_DEVICES.contains(descriptor.name);
    }

    private void decideByMode(Descriptor descriptor) {
        if (descriptor.kind.equals("file") && descriptor.isWritable() && descriptor.name.endsWith(".jfr")) {
            refuse(descriptor, "a JFR recording is running: stop it before the checkpoint, and start one after the restore", "");
            return;
        }
        if (isStrict) {
            refuse(descriptor, "it is open", lines(descriptor, canBeReopened(descriptor) ? "reopen" : "close"));
            return;
        }
        switch (descriptor.kind) {
            case "file":
                if (descriptor.isWritable()) {
                    refuse(descriptor, "it is open for writing", lines(descriptor, "reopen"));
                }
                break;
            case "folder":
            case "device":
                break;
            case "fifo":
                refuse(descriptor, "it is a named pipe", lines(descriptor, "close"));
                break;
            case "pipe":
                if (!ownership.isWholePipe(descriptor)) {
                    refuse(descriptor, "its other end is outside the app", lines(descriptor, "close"));
                }
                break;
            case "socket":
                decideSocket(descriptor);
                break;
            default:
                if (!descriptor.name.equals("anon_inode:[timerfd]")) {
                    refuse(descriptor, "it cannot be taken along", lines(descriptor, "close"));
                }
        }
    }

    private void decideSocket(Descriptor socket) {
        if (socket.isTcp() && socket.isConnected()) {
            if (isAccepted(socket) && !socket.isIdle()) {
                refuse(socket, "a request on it is not answered yet", lines(socket, "close"));
            } else if (isAccepted(socket) || socket.isEnded()) {
                actions.put(socket.fd, "close");
            } else {
                refuse(socket, "the app has opened it, and its peer would not know it any more",
                        lines(socket, "close"));
            }
        } else if (socket.isConnected()) {
            refuse(socket, "it is connected", lines(socket, "close"));
        } else if (!socket.isOfAppKind()) {
            refuse(socket, "it is a socket of the system", lines(socket, "close"));
        }
    }

    private void refuse(Descriptor descriptor, String reason, String policy) {
        String message = descriptor + ": " + reason;
        Throwable opener = Openers.of(descriptor.fd);
        switch (descriptor.resourceType()) {
            case "file":
                problems.add(new CheckpointOpenFileException(message, opener, policy));
                break;
            case "socket":
                problems.add(new CheckpointOpenSocketException(message, opener, policy));
                break;
            default:
                problems.add(new CheckpointOpenResourceException(message, opener, policy));
        }
    }

    /** The rule that would allow exactly this. */
    private String lines(Descriptor descriptor, String action) {
        StringBuilder rule = new StringBuilder("type: ").append(descriptor.resourceType());
        if (descriptor.isSocket()) {
            if (descriptor.isUnix()) {
                line(rule, "family", "unix");
                line(rule, "localPath", escapeGlob(descriptor.localAddress));
                line(rule, "remotePath", descriptor.isPeerNamed() ? escapeGlob(descriptor.remoteAddress) : "");
            } else if (isAccepted(descriptor)) {
                line(rule, "localPort", String.valueOf(descriptor.localPort));
                line(rule, "remoteAddress", "*");
            } else if (descriptor.isConnected()) {
                line(rule, "remoteAddress", descriptor.remoteAddress);
                line(rule, "remotePort", String.valueOf(descriptor.remotePort));
            } else if (descriptor.localPort != 0) {
                line(rule, "localPort", String.valueOf(descriptor.localPort));
            }
        } else if (descriptor.resourceType().equals("file")) {
            line(rule, "path", escapeGlob(descriptor.name));
        } else if (descriptor.resourceType().equals("filedescriptor")) {
            line(rule, "regex", java.util.regex.Pattern.compile("[^\\w:./-]").matcher(descriptor.name).replaceAll("\\\\$0"));
        }
        line(rule, "action", action);
        return rule.toString();
    }

    private static void line(StringBuilder rule, String key, String value) {
        if (!value.isEmpty()) {
            rule.append('\n').append(key).append(": ").append(value);
        }
    }

    private static String escapeGlob(String path) {
        return path.replaceAll("[\\\\*?\\[\\]{}]", "\\\\$0");
    }

    private String toJson() {
        StringBuilder json = new StringBuilder("[");
        for (Map.Entry<Integer, String> each : actions.entrySet()) {
            json.append(json.length() > 1 ? "," : "").append("{\"fd\":").append(each.getKey()).append(",\"action\":")
                    .append(Json.quote(each.getValue())).append('}');
        }
        return json.append(']').toString();
    }
}
