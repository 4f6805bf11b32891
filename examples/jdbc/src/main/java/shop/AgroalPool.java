package shop;

import io.agroal.api.AgroalDataSource;
import io.agroal.api.AgroalDataSource.FlushMode;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import io.agroal.api.security.NamePrincipal;
import io.agroal.api.security.SimplePassword;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.crac.Context;
import org.crac.Resource;

/** Closed, and made anew for the new database. */
final class AgroalPool implements Pool {
    private volatile AgroalDataSource pool;

    AgroalPool() throws SQLException {
        pool = open();
    }

    private static AgroalDataSource open() throws SQLException {
        String user = System.getenv("DATABASE_USER");
        String password = System.getenv().getOrDefault("DATABASE_PASSWORD", "");
        return AgroalDataSource.from(new AgroalDataSourceConfigurationSupplier()
                .metricsEnabled()
                .connectionPoolConfiguration(connections -> connections
                        .maxSize(4)
                        .acquisitionTimeout(Duration.ofSeconds(5))
                        .connectionFactoryConfiguration(factory -> factory.jdbcUrl(System.getenv("DATABASE_URL"))
                                .principal(new NamePrincipal(user))
                                .credential(new SimplePassword(password)))));
    }

    @Override
    public DataSource source() {
        return pool;
    }

    /** It closes its connections in the background. */
    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws InterruptedException {
        pool.flush(FlushMode.GRACEFUL);
        for (int waited = 0; waited < 5000; waited += 10) {
            if (pool.getMetrics().destroyCount() >= pool.getMetrics().creationCount()) break;
            Thread.sleep(10);
        }
        pool.close();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws SQLException {
        pool = open();
    }

    @Override
    public void close() {
        pool.close();
    }
}
