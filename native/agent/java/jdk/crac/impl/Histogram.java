package jdk.crac.impl;

/** Which classes take most of the heap, as JSON. */
final class Histogram {
    private static final int CLASSES = 20;

    private Histogram() {
    }

    /**
     * Lines "NUMBER: INSTANCES BYTES CLASS (MODULE)", the largest first, and "Total INSTANCES BYTES" at the end.
     *
     * @return "null" where that is not what it is
     */
    static String toJson(String text) {
        StringBuilder top = new StringBuilder();
        String total = null;
        int count = 0;
        for (int at = 0; text != null && at < text.length();) {
            int end = text.indexOf('\n', at);
            String line = text.substring(at, end < 0 ? text.length() : end);
            at += line.length() + 1;
            String[] words = words(line);
            boolean isTotal = words[0].equals("Total");
            if (!isTotal && !words[0].endsWith(":") || !isNumber(words[1]) || !isNumber(words[2])) {
                continue;
            }
            String sizes = "\"instances\":" + words[1] + ",\"bytes\":" + words[2];
            if (isTotal) {
                total = sizes;
            } else if (count++ < CLASSES) {
                top.append(count > 1 ? "," : "").append("{\"name\":").append(Json.quote(nameOf(words[3])))
                        .append(',').append(sizes).append('}');
            }
        }
        return total == null ? "null" : "{" + total + ",\"top\":[" + top + "]}";
    }

    /** The first three, and what follows them. */
    private static String[] words(String line) {
        String[] words = {"", "", "", ""};
        int at = 0;
        for (int i = 0; i < words.length; i++) {
            while (at < line.length() && line.charAt(at) == ' ') {
                at++;
            }
            int end = i == 3 ? line.length() : line.indexOf(' ', at);
            end = end < 0 ? line.length() : end;
            words[i] = line.substring(at, end);
            at = end;
        }
        return words;
    }

    private static boolean isNumber(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** "[[Ljava.lang.String; (java.base@17)" → "java.lang.String[][]". */
    static String nameOf(String text) {
        int module = text.indexOf(" (");
        String name = module < 0 ? text : text.substring(0, module);
        int dimensions = 0;
        while (dimensions < name.length() && name.charAt(dimensions) == '[') {
            dimensions++;
        }
        if (dimensions == 0 || dimensions == name.length()) {
            return name;
        }
        String element;
        switch (name.charAt(dimensions)) {
            case 'Z': element = "boolean"; break;
            case 'B': element = "byte"; break;
            case 'C': element = "char"; break;
            case 'S': element = "short"; break;
            case 'I': element = "int"; break;
            case 'J': element = "long"; break;
            case 'F': element = "float"; break;
            case 'D': element = "double"; break;
            default: element = name.substring(dimensions + 1, name.length() - 1); break;
        }
        return element + "[]".repeat(dimensions);
    }
}
