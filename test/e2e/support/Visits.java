import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;

/**
 * Counts its requests in PostgreSQL, at the address in DB_URL, over one connection that it keeps as pools do: one that has
 * ended is replaced. With the argument "closes" it closes it before a checkpoint by itself.
 */
public final class Visits {
    private static final Object LOCK = new Object();
    private static Connection connection;
    private static Resource closer;

    public static void main(String[] arguments) throws Exception {
        count(); // there is no start without the database
        if (arguments.length > 0 && arguments[0].equals("closes")) {
            closer = new Closer();
            Core.getGlobalContext().register(closer);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] body;
            int status = 200;
            try {
                body = ("visit " + countAgain()).getBytes(StandardCharsets.UTF_8);
            } catch (SQLException failure) {
                status = 500;
                body = failure.toString().getBytes(StandardCharsets.UTF_8);
            }
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static long countAgain() throws SQLException {
        synchronized (LOCK) {
            try {
                return count();
            } catch (SQLException ended) {
                System.out.println("visits: connecting again: " + ended.getMessage());
                connection = null;
                return count();
            }
        }
    }

    private static long count() throws SQLException {
        if (connection == null) {
            connection = DriverManager.getConnection(System.getenv("DB_URL"));
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists visits (at timestamptz)");
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into visits values (now())");
            try (ResultSet rows = statement.executeQuery("select count(*) from visits")) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    private static final class Closer implements Resource {
        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws SQLException, IOException {
            synchronized (LOCK) {
                System.out.println("visits: closing after visit " + count());
                connection.close();
                connection = null;
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
            System.out.println("visits: restored");
        }
    }

    private Visits() {}
}
