package jdk.crac.impl;

import java.util.List;

/** Writes the few JSON forms of the control channel. */
final class Json {
    private Json() {
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c == 0x7f || Character.isSurrogate(c)) {
                String hex = Integer.toHexString(c);
                out.append("\\u").append("0000", 0, 4 - hex.length()).append(hex);
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    static String address(long address) {
        return "\"0x" + Long.toHexString(address) + '"';
    }

    static String error(String message, List<String> details) {
        StringBuilder out = new StringBuilder("{\"error\":").append(quote(message)).append(",\"details\":[");
        String separator = "";
        for (String detail : details) {
            out.append(separator).append(quote(detail));
            separator = ",";
        }
        return out.append("]}").toString();
    }
}
