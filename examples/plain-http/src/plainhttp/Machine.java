package plainhttp;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The JVM's own machinery: collector, compiler, threads, and the signals behind null checks and stack overflow. */
final class Machine {
    private record Node(Node next, byte[] payload) {}

    /** A compiler would not make at all what nobody could see. */
    private static volatile byte[] latest;

    static String gc(Query query) {
        Node kept = null;
        for (int i = 0; i < 20_000; i++) {
            Node node = new Node(i % 50 == 0 ? kept : null, new byte[1024]);
            kept = i % 50 == 0 ? node : kept;
        }
        System.gc();
        int reachable = 0;
        for (Node node = kept; node != null; node = node.next()) {
            reachable += node.payload().length / 1024;
        }
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        long collections = ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(b -> b.getCollectionCount()).sum();
        return Json.object(
                "reachable", reachable,
                "heapUsedBytes", heap.getUsed(),
                "heapCommittedBytes", heap.getCommitted(),
                "collections", collections);
    }

    /** `?seconds=10&mb=200`: so many megabytes a second that nobody keeps, at least; tells how many in all. */
    static String garbage(Query query) throws InterruptedException {
        long bytesPerSecond = (long) query.number("mb", 200) << 20;
        long end = TimeUnit.SECONDS.toNanos(query.number("seconds", 10));
        long started = System.nanoTime();
        long made = 0;
        for (long elapsed = 0; elapsed < end; elapsed = System.nanoTime() - started) {
            long due = (long) (bytesPerSecond * (elapsed / 1e9));
            for (int size = 16; made < due; size = size < 100_000 ? size * 3 / 2 : 16) {
                latest = new byte[size];
                made += size;
            }
            Thread.sleep(1);
        }
        latest = null;
        return Json.object("mb", made >> 20);
    }

    /** Runs a loop hot in a class that has just been defined, so that it is interpreted, compiled and replaced on stack now. */
    static String jit(Query query) throws Exception {
        var compilation = ManagementFactory.getCompilationMXBean();
        long before = compilation.getTotalCompilationTime();
        Class<?> fresh = new FreshLoader().define("plainhttp.HotLoop");
        Object sum = fresh.getMethod("run", int.class).invoke(null, query.number("n", 20_000_000));
        return Json.object(
                "sum", sum,
                "fresh", fresh != HotLoop.class,
                "compilationMs", compilation.getTotalCompilationTime() - before);
    }

    private static final class FreshLoader extends ClassLoader {
        FreshLoader() {
            super(Machine.class.getClassLoader());
        }

        Class<?> define(String name) throws IOException {
            try (InputStream in = Machine.class.getClassLoader().getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            }
        }
    }

    /** The user that the kernel knows the process as. */
    static String user(Query query) throws IOException {
        for (String line : java.nio.file.Files.readAllLines(Path.of("/proc/self/status"))) {
            String[] words = line.split("\\s+");
            if (words[0].equals("Uid:")) {
                return Json.object("uid", Integer.parseInt(words[1]));
            }
        }
        return Json.object();
    }

    /** `?n=50`: starts n platform threads and, where the JDK has them, n virtual ones that sleep, and waits for all. */
    static String threads(Query query) throws Exception {
        int n = query.number("n", 50);
        AtomicInteger ran = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            Thread thread = new Thread(ran::incrementAndGet, "new-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return Json.object("platform", ran.get(), "virtual", virtualThreads(n), "live", Thread.activeCount());
    }

    private static Integer virtualThreads(int n) throws Exception {
        ExecutorService executor;
        try {
            executor = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException before21) {
            return null;
        }
        List<Future<Integer>> results = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            results.add(executor.submit(() -> {
                Thread.sleep(10);
                return 1;
            }));
        }
        int ran = 0;
        for (Future<Integer> result : results) {
            ran += result.get(10, TimeUnit.SECONDS);
        }
        executor.shutdown();
        return ran;
    }

    /** Null checks that compiled code leaves to SIGSEGV. */
    static String nullChecks(Query query) {
        int caught = 0;
        int n = query.number("n", 20_000);
        for (int i = 0; i < n; i++) {
            Node node = i % 2 == 0 ? null : new Node(null, new byte[i % 7]);
            try {
                caught += length(node) < 0 ? 1 : 0;
            } catch (NullPointerException expected) {
                caught++;
            }
        }
        return Json.object("checks", n, "caught", caught);
    }

    private static int length(Node node) {
        return node.payload().length;
    }

    static String stackOverflow(Query query) {
        int[] depth = {0};
        try {
            recurse(depth);
        } catch (StackOverflowError expected) {
            return Json.object("caught", true, "depth", depth[0]);
        }
        return Json.object("caught", false);
    }

    private static void recurse(int[] depth) {
        depth[0]++;
        recurse(depth);
        depth[0] += 0; // not a tail call
    }

    private Machine() {}
}
