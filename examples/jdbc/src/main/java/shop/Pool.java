package shop;

import java.sql.SQLException;
import javax.sql.DataSource;
import org.crac.Resource;

/** A pool that has no connection open while a checkpoint is taken, and connects to what the environment names after the restore. */
interface Pool extends Resource, AutoCloseable {
    DataSource source();

    @Override
    void close();

    static Pool make(String name) throws SQLException {
        return switch (name) {
            case "hikari" -> new HikariPool();
            case "agroal" -> new AgroalPool();
            case "dbcp" -> new DbcpPool();
            default -> throw new IllegalArgumentException("no pool is called " + name + ": hikari, agroal or dbcp");
        };
    }
}
