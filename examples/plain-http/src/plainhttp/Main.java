package plainhttp;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** A small app on the JDK's own HTTP server. Each path shows one thing that must still work in a restored JVM. */
public final class Main {
    private static final AtomicLong REQUESTS = new AtomicLong();

    public static void main(String[] arguments) throws Exception {
        long startedNanos = System.nanoTime();
        // Head and body are written apart: without this, a client that delays its acknowledgement adds 40 ms.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        int port = port(arguments);
        HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));

        Clock clock = new Clock(startedNanos);
        Warmth warmth = new Warmth();
        CracEvents crac = CracEvents.register();
        Files files = new Files();

        Route.on(server, "/", query -> "hello from plain-http, request " + REQUESTS.incrementAndGet() + "\n");
        Route.on(server, "/work", warmth::work);
        Route.on(server, "/state", warmth::state);
        Route.on(server, "/keep", warmth::keep);
        Route.on(server, "/time", clock::time);
        Route.on(server, "/sleep", clock::sleep);
        Route.on(server, "/pending", clock::pending);
        Route.on(server, "/scheduled", clock::scheduled);
        Route.on(server, "/env", query -> Json.object("value", System.getenv(query.text("name", ""))));
        Route.on(server, "/property", query -> Json.object("value", System.getProperty(query.text("name", "none"))));
        Route.on(server, "/arguments", query -> Json.object("arguments", String.join(" ", arguments)));
        Route.on(server, "/pid", query -> Json.object("pid", ProcessHandle.current().pid()));
        Route.on(server, "/user", Machine::user);
        Route.on(server, "/random", Randomness::values);
        Route.on(server, "/seeded", Randomness::seeded);
        Route.on(server, "/file", files::file);
        Route.on(server, "/gc", Machine::gc);
        Route.on(server, "/garbage", Machine::garbage);
        Route.on(server, "/jit", Machine::jit);
        Route.on(server, "/threads", Machine::threads);
        Route.on(server, "/npe", Machine::nullChecks);
        Route.on(server, "/soe", Machine::stackOverflow);
        Route.on(server, "/crac", query -> crac.describe());

        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("bye");
            System.out.flush();
        }, "bye"));
        server.start();
        System.out.println("plain-http listening on " + port);
    }

    /** The first argument that is a number, else PORT, else 8080. */
    private static int port(String[] arguments) {
        for (String argument : arguments) {
            if (argument.matches("\\d{1,5}")) {
                return Integer.parseInt(argument);
            }
        }
        String port = System.getenv("PORT");
        return port == null || port.isEmpty() ? 8080 : Integer.parseInt(port);
    }

    private Main() {}
}
