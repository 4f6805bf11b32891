import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.locks.LockSupport;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** Has a resource that takes its time, one registered before it and one after; obeys lines of stdin. */
public class Stubborn {
    private static volatile String manner = "quick";

    static class Quick implements Resource {
        final String name;

        Quick(String name) {
            this.name = name;
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            System.out.println("before " + name);
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
            System.out.println("after " + name);
        }
    }

    static class Slow extends Quick {
        Slow() {
            super("slow");
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
            while (manner.equals("late")) {
                LockSupport.parkNanos(50_000_000);
            }
            super.afterRestore(context);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            super.beforeCheckpoint(context);
            if (manner.equals("slow")) {
                Thread.sleep(60_000);
            }
            while (manner.equals("deaf")) {
                try {
                    Thread.sleep(50);
                } catch (InterruptedException ignored) {
                    // as bad code does
                }
            }
        }
    }

    static void checkpoint() {
        try {
            Core.checkpointRestore();
            System.out.println("returned");
        } catch (CheckpointException | RestoreException thrown) {
            System.out.println(thrown + ", interrupted: " + Thread.currentThread().isInterrupted());
            for (Throwable each : thrown.getSuppressed()) {
                System.out.println("  " + each);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        Resource[] kept = {new Quick("first"), new Slow(), new Quick("last")};
        for (Resource each : kept) {
            Core.getGlobalContext().register(each);
        }
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            if (line.equals("checkpoint")) {
                new Thread(Stubborn::checkpoint).start();
            } else {
                manner = line;
            }
            System.out.println("heard " + line);
        }
        System.out.println(kept.length);
    }
}
