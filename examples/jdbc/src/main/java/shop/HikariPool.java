package shop;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import com.zaxxer.hikari.util.Credentials;
import javax.sql.DataSource;
import org.crac.Context;
import org.crac.Resource;

/** Suspended: who asks for a connection meanwhile waits. The pool itself stays; its connections are closed. */
final class HikariPool implements Pool {
    private final HikariDataSource pool;

    HikariPool() {
        Database database = Database.fromEnvironment();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.url());
        config.setUsername(database.user());
        config.setPassword(database.password());
        config.setMaximumPoolSize(4);
        config.setAllowPoolSuspension(true);
        pool = new HikariDataSource(config);
    }

    @Override
    public DataSource source() {
        return pool;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws InterruptedException {
        HikariPoolMXBean control = pool.getHikariPoolMXBean();
        control.suspendPool();
        control.softEvictConnections();
        for (int waited = 0; control.getTotalConnections() > 0; waited += 10) {
            if (waited > 5000) throw new IllegalStateException(control.getTotalConnections() + " connections are still in use");
            Thread.sleep(10);
            control.softEvictConnections();
        }
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        Database database = Database.fromEnvironment();
        pool.setCredentials(Credentials.of(database.user(), database.password()));
        pool.setJdbcUrl(database.url());
        pool.getHikariPoolMXBean().resumePool();
    }

    @Override
    public void close() {
        pool.close();
    }
}
