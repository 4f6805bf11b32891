package shop;

/** Where the database is, as the environment says now. */
record Database(String url, String user, String password) {
    static Database fromEnvironment() {
        return new Database(need("DATABASE_URL"), need("DATABASE_USER"), System.getenv().getOrDefault("DATABASE_PASSWORD", ""));
    }

    private static String need(String name) {
        String value = System.getenv(name);
        if (value == null) throw new IllegalStateException(name + " is not set");
        return value;
    }
}
