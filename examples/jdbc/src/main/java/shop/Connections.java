package shop;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * New connections to the database that the environment names now, for a pool. Pools close in the background and do not tell when they
 * are done: this knows which connections are still there.
 */
final class Connections implements DataSource {
    private final Set<Connection> opened = ConcurrentHashMap.newKeySet();

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = DriverManager.getConnection(
                need("DATABASE_URL"), need("DATABASE_USER"), System.getenv().getOrDefault("DATABASE_PASSWORD", ""));
        opened.add(connection);
        return connection;
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        return getConnection();
    }

    /** Closes those that the pool has left open after a while. */
    void waitUntilClosed() throws SQLException, InterruptedException {
        for (int waited = 0; waited < 2000; waited += 10) {
            for (Connection connection : opened) if (connection.isClosed()) opened.remove(connection);
            if (opened.isEmpty()) return;
            Thread.sleep(10);
        }
        for (Connection connection : opened) connection.close();
        opened.clear();
    }

    private static String need(String name) {
        String value = System.getenv(name);
        if (value == null) throw new IllegalStateException(name + " is not set");
        return value;
    }

    @Override
    public PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {}

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getLogger("shop");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("nothing is wrapped here");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
