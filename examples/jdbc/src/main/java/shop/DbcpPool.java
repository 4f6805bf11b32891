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
        use(Database.fromEnvironment());
    }

    private void use(Database database) {
        pool.setUrl(database.url());
        pool.setUsername(database.user());
        pool.setPassword(database.password());
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
        use(Database.fromEnvironment());
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
