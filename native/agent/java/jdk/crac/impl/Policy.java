package jdk.crac.impl;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.FileSystems;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** One rule: what it is about, and what is done with it. */
final class Policy {
    final String action;
    final boolean warns;
    private final String type;
    private final Map<String, String> values;
    private final Pattern regex;

    /** @throws IllegalArgumentException for a value that is not one */
    Policy(String type, String action, Map<String, String> values) {
        this.type = type;
        this.action = action;
        this.values = values;
        warns = flag("warn", true);
        flag("listening", false);
        port("localPort");
        port("remotePort");
        regex = values.containsKey("regex") ? Pattern.compile(values.get("regex")) : null;
        for (String key : List.of("path", "localPath", "remotePath")) {
            if (values.containsKey(key)) {
                FileSystems.getDefault().getPathMatcher("glob:" + values.get(key));
            }
        }
        if (values.containsKey("value") && !values.get("value").matches("\\d{1,9}")) {
            throw new IllegalArgumentException("value: " + values.get("value") + " is not a number");
        }
        if (values.containsKey("family") && !List.of("ip", "inet", "ipv4", "inet4", "ipv6", "inet6", "unix")
                .contains(family())) {
            throw new IllegalArgumentException("family: " + values.get("family")
                    + " is not known; there are ip, inet, ipv4, inet4, ipv6, inet6, unix");
        }
    }

    private boolean flag(String key, boolean otherwise) {
        String value = values.getOrDefault(key, String.valueOf(otherwise)).toLowerCase(Locale.ROOT);
        if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException(key + ": " + values.get(key) + " is neither true nor false");
        }
        return value.equals("true");
    }

    private void port(String key) {
        String value = values.get(key);
        if (value != null && !value.equals("*") && !value.matches("\\d{1,5}")) {
            throw new IllegalArgumentException(key + ": " + value + " is neither a port nor *");
        }
    }

    private String family() {
        return values.get("family").toLowerCase(Locale.ROOT);
    }

    boolean matches(Descriptor descriptor) {
        if (type.equals("filedescriptor")) {
            return matchesNumberOrText(descriptor);
        }
        if (!type.equals(descriptor.resourceType())) {
            return false;
        }
        return type.equals("file") ? !values.containsKey("path") || Policies.matchesGlob(values.get("path"), descriptor.name)
                : type.equals("pipe") || matchesSocket(descriptor);
    }

    /** With value or regex any descriptor is meant, without them what is neither file nor pipe nor socket. */
    private boolean matchesNumberOrText(Descriptor descriptor) {
        if (!values.containsKey("value") && regex == null) {
            return descriptor.resourceType().equals(type);
        }
        return (!values.containsKey("value") || Integer.parseInt(values.get("value")) == descriptor.fd)
                && (regex == null || regex.matcher(descriptor.name).matches());
    }

    private boolean matchesSocket(Descriptor descriptor) {
        return matchesFamily(descriptor)
                && (!values.containsKey("listening") || flag("listening", false) == descriptor.isListening())
                && matchesPort("localPort", descriptor.localPort)
                && matchesPort("remotePort", descriptor.remotePort)
                && matchesAddress("localAddress", descriptor.isUnix() ? "" : descriptor.localAddress)
                && matchesAddress("remoteAddress", descriptor.isUnix() ? "" : descriptor.remoteAddress)
                && matchesPath("localPath", descriptor.isUnix() ? descriptor.localAddress : "")
                && matchesPath("remotePath", descriptor.isPeerNamed() ? descriptor.remoteAddress : "");
    }

    private boolean matchesFamily(Descriptor descriptor) {
        if (!values.containsKey("family")) {
            return true;
        }
        switch (family()) {
            case "ip":
            case "inet":
                return descriptor.family.startsWith("ipv");
            case "inet4":
                return descriptor.family.equals("ipv4");
            case "inet6":
                return descriptor.family.equals("ipv6");
            default:
                return descriptor.family.equals(family());
        }
    }

    private boolean matchesPort(String key, int port) {
        String wanted = values.get(key);
        return wanted == null || (wanted.equals("*") ? port != 0 : Integer.parseInt(wanted) == port);
    }

    private boolean matchesAddress(String key, String address) {
        String wanted = values.get(key);
        if (wanted == null || wanted.equals(address)) {
            return true;
        }
        if (wanted.equals("*") || address.isEmpty()) {
            return !address.isEmpty();
        }
        try {
            InetAddress found = InetAddress.getByName(address);
            for (InetAddress each : InetAddress.getAllByName(wanted)) {
                if (each.equals(found)) {
                    return true;
                }
            }
        } catch (UnknownHostException noSuchName) {
            // no address of that name is open
        }
        return false;
    }

    private boolean matchesPath(String key, String path) {
        String wanted = values.get(key);
        return wanted == null || !path.isEmpty() && Policies.matchesGlob(wanted, path);
    }
}
