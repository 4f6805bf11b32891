package transform;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Makes HTML of invoices with XSLT: `POST /transform` an XML document, or `GET /transform?invoices=40` one that is made up. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        // 40 ms a kept connection otherwise, while the last packet of an answer waits for an acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Transform transform = new Transform();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(threads);
        server.createContext("/health", exchange -> answer(exchange, 200, "UP"));
        server.createContext("/transform", exchange -> answer(exchange, transform));
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(1);
            threads.shutdown();
        }));
    }

    private static void answer(HttpExchange exchange, Transform transform) throws IOException {
        String document = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String query = exchange.getRequestURI().getQuery();
        int status = 200;
        String text;
        try {
            text = transform.apply(document.isEmpty() ? Invoices.make(count(query)) : document);
        } catch (Exception e) {
            status = 400;
            text = "not invoices: " + e.getMessage();
        }
        answer(exchange, status, text);
    }

    private static int count(String query) {
        return query == null ? 20 : Integer.parseInt(query.replace("invoices=", ""));
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
