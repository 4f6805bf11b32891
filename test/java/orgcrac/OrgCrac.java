import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.crac.CheckpointException;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.crac.RestoreException;

/** Uses org.crac as frameworks do. */
public class OrgCrac {
    static final AtomicInteger rounds = new AtomicInteger();

    static final class Connection implements Resource {
        private final String name;

        Connection(String name) {
            this.name = name;
            Core.getGlobalContext().register(this);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            System.out.println("before " + name + " " + (context == Core.getGlobalContext()));
            if (rounds.get() == 1) {
                throw new IOException(name + " is busy");
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws Exception {
            System.out.println("after " + name + " " + System.getenv("GREETING"));
            if (rounds.get() == 2) {
                throw new IOException(name + " is unreachable");
            }
        }
    }

    static void checkpoint() {
        try {
            Core.checkpointRestore();
            System.out.println("returned");
        } catch (CheckpointException | RestoreException | UnsupportedOperationException thrown) {
            System.out.println(thrown.getClass().getName());
            for (Throwable each : thrown.getSuppressed()) {
                System.out.println("  " + (each.getCause() == null ? each : each.getCause()));
            }
        }
    }

    public static void main(String[] args) throws Exception {
        Connection[] kept = {new Connection("first"), new Connection("second")};
        for (String arg : args) {
            if (arg.equals("time")) {
                // since 1.5.0
                Class<?> type = Class.forName("org.crac.management.CRaCMXBean");
                Object bean = type.getMethod("getCRaCMXBean").invoke(null);
                java.lang.reflect.Method time = type.getMethod("getRestoreTime");
                time.setAccessible(true);
                System.out.println("restored " + ((long) time.invoke(bean) > 0));
            } else {
                checkpoint();
                rounds.incrementAndGet();
            }
        }
        System.out.println("kept " + kept.length);
    }
}
