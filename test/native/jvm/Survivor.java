import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;
import jdk.crac.management.CRaCMXBean;

/** Asks for its own checkpoint, and says what it finds after a real restore. */
public class Survivor {
    static volatile boolean failing = true;

    static final class Part implements Resource {
        private final String name;

        Part(String name) {
            this.name = name;
            Core.getGlobalContext().register(this);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) {
            System.out.println("before " + name);
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws IOException {
            System.out.println("after " + name + " " + System.getenv("GREETING") + " " + System.getProperty("color"));
            if (failing && name.equals("first")) {
                throw new IOException("no database");
            }
        }
    }

    /** So often that it is compiled, with what it takes for a constant. */
    private static long askForProcessId() {
        long sum = 0;
        for (int i = 0; i < 2000; i++) {
            sum += ProcessHandle.current().pid();
        }
        return sum / 2000;
    }

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < 100; i++) {
            askForProcessId();
        }
        Part[] kept = {new Part("first"), new Part("second")};
        CRaCMXBean bean = ManagementFactory.getPlatformMXBean(CRaCMXBean.class);
        System.out.println("restored at " + bean.getRestoreTime());
        AtomicInteger ticks = new AtomicInteger();
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
        timer.scheduleAtFixedRate(ticks::incrementAndGet, 10, 10, TimeUnit.MILLISECONDS);
        ThreadLocal<String> local = ThreadLocal.withInitial(() -> "lost");
        local.set("kept");
        synchronized (kept) {
            try {
                Core.checkpointRestore();
                System.out.println("returned");
            } catch (RestoreException failed) {
                System.out.println("RestoreException " + failed.getSuppressed().length + " " + failed.getSuppressed()[0]);
            } catch (CheckpointException refused) {
                System.out.println("refused " + refused + " " + java.util.List.of(refused.getSuppressed()));
            }
            System.out.println(Thread.currentThread().getName() + " " + local.get() + " " + Thread.holdsLock(kept));
        }
        long age = System.currentTimeMillis() - bean.getRestoreTime();
        System.out.println("age " + (age >= 0 && age < 10_000) + " " + (bean.getUptimeSinceRestore() < 10_000));
        System.out.println("pid " + (Path.of("/proc/self").toRealPath().endsWith("" + askForProcessId())));
        int before = ticks.get();
        Thread.sleep(300);
        System.out.println("ticks " + (ticks.get() > before && ticks.get() < before + 200));
        failing = false;
        try {
            Core.checkpointRestore();
        } catch (CheckpointException nobody) {
            System.out.println(nobody.getMessage());
        }
        timer.shutdown();
        System.out.println("end");
    }
}
