import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.TreeSet;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** Obeys lines of stdin, so that the test decides when what happens. */
public class Restorable implements Resource {
    private static final Restorable FIRST = new Restorable("first");
    private static final Restorable SECOND = new Restorable("second");
    private static boolean failing;
    private static long nanosBefore;
    private static final java.util.concurrent.atomic.AtomicInteger ticks = new java.util.concurrent.atomic.AtomicInteger();
    private static final java.util.TimerTask ONCE = task();
    private static final java.util.TimerTask AGAIN = task();
    private final String name;

    Restorable(String name) {
        this.name = name;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws IOException {
        System.out.println("before " + name);
        if (failing && this == FIRST) {
            throw new IOException("a port is still open");
        }
        nanosBefore = warmNanoTime();
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws IOException {
        System.out.println("after " + name + " GREETING=" + System.getenv("GREETING"));
        if (failing && this == FIRST) {
            throw new IOException("no database");
        }
    }

    /** Compiled code calls the clock without JVM_NanoTime. */
    static long warmNanoTime() {
        long sum = 0;
        for (int i = 0; i < 200_000; i++) {
            sum = System.nanoTime();
        }
        return sum;
    }

    static void checkpoint() {
        try {
            Core.checkpointRestore();
            System.out.println("returned in " + Thread.currentThread().getName());
        } catch (CheckpointException | RestoreException thrown) {
            System.out.println(thrown.getClass().getSimpleName() + " in " + Thread.currentThread().getName() + ": "
                    + thrown.getMessage());
            for (Throwable each : thrown.getSuppressed()) {
                System.out.println("  " + each);
            }
        }
    }

    static String childEnvironment() throws Exception {
        Process child = new ProcessBuilder("/usr/bin/env").start();
        TreeSet<String> lines = new TreeSet<>();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(child.getInputStream()))) {
            for (String line; (line = out.readLine()) != null;) {
                lines.add(line);
            }
        }
        return lines.toString();
    }

    /** The JDK that this is compiled for has no virtual threads: "" there. */
    private static String virtualThreadParallelism() throws Exception {
        try {
            java.lang.reflect.Field scheduler = Class.forName("java.lang.VirtualThread").getDeclaredField("DEFAULT_SCHEDULER");
            scheduler.setAccessible(true);
            return String.valueOf(((java.util.concurrent.ForkJoinPool) scheduler.get(null)).getParallelism());
        } catch (ClassNotFoundException before21) {
            return "";
        }
    }

    /** A task that does nothing. */
    private static java.util.TimerTask task() {
        return new java.util.TimerTask() {
            @Override
            public void run() {
            }
        };
    }

    /** By the wall clock, in milliseconds. */
    private static long nextRun(java.util.TimerTask task) throws ReflectiveOperationException {
        java.lang.reflect.Field next = java.util.TimerTask.class.getDeclaredField("nextExecutionTime");
        next.setAccessible(true);
        return next.getLong(task);
    }

    public static void main(String[] args) throws Exception {
        Core.getGlobalContext().register(FIRST);
        Core.getGlobalContext().register(SECOND);
        if (args.length > 0) {
            System.getenv("PATH");
        }
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "checkpoint":
                    new Thread(Restorable::checkpoint, "the caller").start();
                    break;
                case "failing":
                    failing = true;
                    System.out.println("failing from now on");
                    break;
                case "environment":
                    System.out.println("getenv " + new TreeSet<>(System.getenv().entrySet()  .stream()
                            .map(e -> e.getKey() + "=" + e.getValue()).toList()));
                    System.out.println("builder " + new ProcessBuilder("x").environment().get("GREETING"));
                    System.out.println("child " + childEnvironment());
                    break;
                case "property":
                    System.out.println("property " + System.getProperty(words[1]));
                    break;
                case "process":
                    System.out.println("process " + ProcessHandle.current().pid() + " "
                            + ProcessHandle.current().isAlive());
                    break;
                case "timer":
                    ticks.set(0);
                    new java.util.Timer(true).scheduleAtFixedRate(new java.util.TimerTask() {
                        @Override
                        public void run() {
                            ticks.incrementAndGet();
                            java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
                        }
                    }, Integer.parseInt(words[1]), 100);
                    System.out.println("timer runs");
                    break;
                case "waiting":
                    java.util.Timer timer = new java.util.Timer(true);
                    timer.schedule(ONCE, 100_000);
                    timer.schedule(AGAIN, 100_000, 100_000);
                    System.out.println("waiting");
                    break;
                case "next":
                    System.out.println("next " + nextRun(ONCE) + " " + nextRun(AGAIN));
                    break;
                case "ticks":
                    System.out.println("ticks " + ticks);
                    break;
                case "processors":
                    System.out.println("processors " + Runtime.getRuntime().availableProcessors() + " " + words[1] + " "
                            + virtualThreadParallelism());
                    break;
                case "exit":
                    System.exit(0);
                    break;
                case "nanos":
                    System.out.println("nanos " + (warmNanoTime() - nanosBefore));
                    break;
                default:
                    System.out.println("? " + line);
            }
        }
        System.exit(0);
    }
}
