package plainhttp;

/** Just enough JSON: one flat object on one line. */
final class Json {
    static String object(Object... namesAndValues) {
        StringBuilder json = new StringBuilder("{");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (i > 0) {
                json.append(',');
            }
            appendText(json, namesAndValues[i].toString());
            json.append(':');
            Object value = namesAndValues[i + 1];
            if (value instanceof Number || value instanceof Boolean || value == null) {
                json.append(value);
            } else {
                appendText(json, value.toString());
            }
        }
        return json.append("}\n").toString();
    }

    private static void appendText(StringBuilder json, String text) {
        json.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }

    private Json() {}
}
