package jdk.crac.impl;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.PatternSyntaxException;

/**
 * The file that the property jdk.crac.resource-policies names, in the CRaC JDK's format:
 *
 * <pre>
 * file  ::= rule ("---" rule)*
 * rule  ::= (key ":" value | "#" comment | empty line)*      type and action are needed; case does not matter in them
 * </pre>
 *
 * The first rule that matches a descriptor decides.
 */
final class Policies {
    static final String PROPERTY = "jdk.crac.resource-policies";

    private static final Map<String, List<String>> ACTIONS = Map.of(
            "file", List.of("error", "ignore", "close", "reopen"),
            "pipe", List.of("error", "ignore", "close"),
            "socket", List.of("error", "ignore", "close", "reopen"),
            "filedescriptor", List.of("error", "ignore", "close"));
    private static final Map<String, List<String>> KEYS = Map.of(
            "file", List.of("path"),
            "pipe", List.of(),
            "socket", List.of("family", "localAddress", "localPort", "localPath", "remoteAddress", "remotePort",
                    "remotePath", "listening"),
            "filedescriptor", List.of("value", "regex"));

    static final Policies NONE = new Policies(List.of());

    private final List<Policy> rules;

    private Policies(List<Policy> rules) {
        this.rules = rules;
    }

    /** @throws IllegalArgumentException with every problem of the file in its message, one a line */
    static Policies read() {
        String file = System.getProperty(PROPERTY);
        if (file == null || file.isEmpty()) {
            return NONE;
        }
        try {
            return parse(Files.readAllLines(Path.of(file)), file);
        } catch (IOException | InvalidPathException unreadable) {
            throw new IllegalArgumentException("the policies file " + file + " (" + PROPERTY + ") cannot be read: "
                    + unreadable);
        }
    }

    static Policies parse(List<String> lines, String file) {
        List<Policy> rules = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        Map<String, String> rule = new LinkedHashMap<>();
        int begin = 1;
        for (int number = 1; number <= lines.size() + 1; number++) {
            boolean isEnd = number > lines.size();
            String line = isEnd ? "---" : lines.get(number - 1).trim();
            int colon = line.indexOf(':');
            if (line.equals("---")) {
                if (!rule.isEmpty()) {
                    add(rule, file + ":" + begin + ": ", rules, problems);
                }
                rule = new LinkedHashMap<>();
            } else if (colon > 0 && line.charAt(0) != '#') {
                begin = rule.isEmpty() ? number : begin;
                String key = line.substring(0, colon).trim();
                if (rule.put(key, unquote(line.substring(colon + 1).trim())) != null) {
                    problems.add(file + ":" + number + ": " + key + " is there twice; rules are separated by a line ---");
                }
            } else if (!line.isEmpty() && line.charAt(0) != '#') {
                problems.add(file + ":" + number + ": \"" + line + "\" is not of the form `key: value`");
            }
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", problems));
        }
        return new Policies(rules);
    }

    private static void add(Map<String, String> rule, String where, List<Policy> rules, List<String> problems) {
        int before = problems.size();
        String type = String.valueOf(rule.get("type")).toLowerCase(Locale.ROOT);
        String action = String.valueOf(rule.get("action")).toLowerCase(Locale.ROOT);
        if (!ACTIONS.containsKey(type)) {
            problems.add(where + (rule.containsKey("type") ? "type: " + rule.get("type") + " is not known"
                    : "the rule has no type") + "; there are file, pipe, socket, filedescriptor");
            return;
        }
        if (!ACTIONS.get(type).contains(action)) {
            problems.add(where + (rule.containsKey("action") ? "action: " + rule.get("action") + " is not known for "
                    + type : "the rule has no action") + "; there are " + String.join(", ", ACTIONS.get(type)));
        }
        for (String key : rule.keySet()) {
            if (!List.of("type", "action", "warn").contains(key) && !KEYS.get(type).contains(key)) {
                problems.add(where + key + " is not a key of type: " + type + "; there are type, action, warn"
                        + (KEYS.get(type).isEmpty() ? "" : ", " + String.join(", ", KEYS.get(type))));
            }
        }
        if (problems.size() > before) {
            return;
        }
        try {
            rules.add(new Policy(type, action, rule));
        } catch (PatternSyntaxException wrongPattern) {
            problems.add(where + "not a pattern: " + wrongPattern.getDescription() + ": " + wrongPattern.getPattern());
        } catch (IllegalArgumentException wrongValue) {
            problems.add(where + wrongValue.getMessage());
        }
    }

    private static String unquote(String value) {
        int last = value.length() - 1;
        boolean isQuoted = last > 0 && value.charAt(0) == value.charAt(last)
                && (value.charAt(0) == '"' || value.charAt(0) == '\'');
        return isQuoted ? value.substring(1, last) : value;
    }

    /** The first rule that matches, or null. */
    Policy find(Descriptor descriptor) {
        for (Policy rule : rules) {
            if (rule.matches(descriptor)) {
                return rule;
            }
        }
        return null;
    }

    static boolean matchesGlob(String glob, String path) {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + glob).matches(Path.of(path));
        } catch (InvalidPathException notAPath) {
            return false;
        }
    }
}
