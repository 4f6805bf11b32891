import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Takes orders, and tells only who made them about them. */
public final class Shop {
    private static final Map<String, String> OWNERS = new ConcurrentHashMap<>();
    private static final AtomicInteger COUNT = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        System.out.println("shop: opening");
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/orders", Shop::handle);
        server.createContext("/hangs", exchange -> {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException end) {
                exchange.close();
            }
        });
        server.start();
        System.out.println("shop: Started in 0.1 s");
    }

    private static void handle(HttpExchange exchange) throws IOException {
        String cookie = exchange.getRequestHeaders().getFirst("Cookie");
        String path = exchange.getRequestURI().getPath();
        if (exchange.getRequestMethod().equals("POST")) {
            int number = COUNT.incrementAndGet();
            String session = cookie == null ? "session=s" + number : cookie;
            String body = new String(exchange.getRequestBody().readAllBytes());
            OWNERS.put("/orders/" + number, session);
            if (cookie == null) {
                exchange.getResponseHeaders().add("Set-Cookie", session + "; Path=/; HttpOnly");
            }
            exchange.getResponseHeaders().add("Location", "http://shop.example/orders/" + number);
            answer(exchange, 201, "{\"id\":" + number + ",\"order\":" + body + "}");
        } else if (path.equals("/orders")) {
            answer(exchange, 200, "{\"count\":" + COUNT + "}");
        } else {
            boolean isOwn = cookie != null && cookie.equals(OWNERS.get(path));
            answer(exchange, isOwn ? 200 : 403, "{\"path\":\"" + path + "\"}");
        }
    }

    /** For a warm-up from the inside. */
    static final class Warm {
        public static void main(String[] arguments) {
            System.out.println("shop: warmed with " + COUNT + " orders");
        }
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, json.length());
        exchange.getResponseBody().write(json.getBytes());
        exchange.close();
    }
}
