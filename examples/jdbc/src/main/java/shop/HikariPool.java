package shop;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.crac.Context;
import org.crac.Resource;

/** Suspended: who asks for a connection meanwhile waits. The pool itself stays; its connections are closed. */
final class HikariPool implements Pool {
    private final Connections connections = new Connections();
    private final HikariDataSource pool;

    HikariPool() {
        HikariConfig config = new HikariConfig();
        config.setDataSource(connections);
        config.setMaximumPoolSize(4);
        config.setAllowPoolSuspension(true);
        pool = new HikariDataSource(config);
    }

    @Override
    public DataSource source() {
        return pool;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws SQLException, InterruptedException {
        pool.getHikariPoolMXBean().suspendPool();
        pool.getHikariPoolMXBean().softEvictConnections();
        connections.waitUntilClosed();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        pool.getHikariPoolMXBean().resumePool();
    }

    @Override
    public void close() {
        pool.close();
    }
}
