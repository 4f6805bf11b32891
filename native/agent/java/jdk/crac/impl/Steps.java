package jdk.crac.impl;

/** Milliseconds of each step of a preparation, as a JSON object in the making. */
final class Steps {
    private final StringBuilder json = new StringBuilder("{");
    private long since = System.nanoTime();

    void done(String step) {
        long now = System.nanoTime();
        if (json.length() > 1) {
            json.append(',');
        }
        json.append(Json.quote(step)).append(':').append((now - since) / 1_000_000);
        since = now;
    }

    String toJson() {
        return json + "}";
    }
}
