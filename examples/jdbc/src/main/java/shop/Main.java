package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.crac.Core;

/**
 * Asks a database through a pool of connections: `hikari`, `agroal` or `dbcp`, the first argument. DATABASE_URL, DATABASE_USER and
 * DATABASE_PASSWORD name it, the restored container's those of the restored app.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Pool pool = Pool.make(arguments.length > 0 ? arguments[0] : "hikari");
        Core.getGlobalContext().register(pool);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(threads);
        server.createContext("/health", exchange -> answer(exchange, "select 'UP'", pool));
        server.createContext("/database", exchange -> answer(exchange, "select current_database()", pool));
        server.createContext("/greetings", exchange -> answer(exchange, "select string_agg(text, ',' order by id) from greetings", pool));
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(1);
            threads.shutdown();
            pool.close();
        }));
    }

    private static void answer(HttpExchange exchange, String query, Pool pool) throws IOException {
        int status = 200;
        String text;
        try (Connection connection = pool.source().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            text = rows.getString(1);
        } catch (SQLException e) {
            status = 503;
            text = e.getMessage();
        }
        byte[] body = String.valueOf(text).getBytes(StandardCharsets.UTF_8);
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
