package shop;

import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.crac.Context;
import org.crac.Resource;

/** Closed, and opened again: DBCP's pool can be. */
final class DbcpPool implements Pool {
    private final BasicDataSource pool = new BasicDataSource();

    DbcpPool() {
        pool.setMaxTotal(4);
        pool.setMaxWait(Duration.ofSeconds(5));
        pool.setRegisterConnectionMBean(false);
        useEnvironment();
    }

    private void useEnvironment() {
        pool.setUrl(System.getenv("DATABASE_URL"));
        pool.setUsername(System.getenv("DATABASE_USER"));
        pool.setPassword(System.getenv().getOrDefault("DATABASE_PASSWORD", ""));
    }

    @Override
    public DataSource source() {
        return pool;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws SQLException {
        pool.close();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws SQLException {
        useEnvironment();
        pool.start();
    }

    @Override
    public void close() {
        try {
            pool.close();
        } catch (SQLException e) {
            System.err.println("closing the pool: " + e.getMessage());
        }
    }
}
