package plainhttp;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** One path: its query in, text or JSON out; an exception becomes a 500 that names it. */
interface Route {
    String answer(Query query) throws Exception;

    static void on(HttpServer server, String path, Route route) {
        server.createContext(path, exchange -> {
            if (!exchange.getRequestURI().getPath().equals(path)) {
                send(exchange, 404, "no such path\n");
                return;
            }
            String body;
            int status = 200;
            try (InputStream request = exchange.getRequestBody()) {
                String content = new String(request.readAllBytes(), StandardCharsets.UTF_8);
                body = route.answer(new Query(exchange.getRequestMethod(), exchange.getRequestURI().getRawQuery(), content));
            } catch (Exception | Error failure) {
                failure.printStackTrace();
                status = 500;
                body = failure + "\n";
            }
            send(exchange, status, body);
        });
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", body.startsWith("{") ? "application/json" : "text/plain");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        try (OutputStream response = exchange.getResponseBody()) {
            response.write(bytes);
        }
    }
}
