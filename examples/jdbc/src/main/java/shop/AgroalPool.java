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
    private volatile AgroalDataSource pool = open();

    AgroalPool() throws SQLException {}

    private static AgroalDataSource open() throws SQLException {
        Database database = Database.fromEnvironment();
        return AgroalDataSource.from(new AgroalDataSourceConfigurationSupplier().connectionPoolConfiguration(connections ->
                connections.maxSize(4).acquisitionTimeout(Duration.ofSeconds(5)).connectionFactoryConfiguration(factory ->
                        factory.jdbcUrl(database.url())
                                .principal(new NamePrincipal(database.user()))
                                .credential(new SimplePassword(database.password())))));
    }

    @Override
    public DataSource source() {
        return pool;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        pool.flush(FlushMode.GRACEFUL);
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
