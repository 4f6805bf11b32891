package plainhttp;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Everything that a jump of the machine's clocks could spoil. */
final class Clock {
    private static final long TICK_MS = 100;
    /** Two ticks closer together than this are catching up. */
    private static final long BURST_GAP_NANOS = TimeUnit.MILLISECONDS.toNanos(TICK_MS / 4);

    private final long startedNanos;
    private final long firstTickNanos;
    private long ticks;
    private long lastTickNanos;
    private long burst;
    private long maxBurst;
    /** How each sleep went, by the kind of what sleeps. */
    private final Map<String, String> pending = new ConcurrentHashMap<>();
    private final ScheduledExecutorService scheduler;

    Clock(long startedNanos) {
        this.startedNanos = startedNanos;
        this.firstTickNanos = System.nanoTime();
        this.lastTickNanos = firstTickNanos - TimeUnit.MILLISECONDS.toNanos(TICK_MS);
        scheduler = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "ticks");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.scheduleAtFixedRate(this::tick, 0, TICK_MS, TimeUnit.MILLISECONDS);
    }

    private synchronized void tick() {
        long now = System.nanoTime();
        burst = now - lastTickNanos < BURST_GAP_NANOS ? burst + 1 : 0;
        maxBurst = Math.max(maxBurst, burst);
        lastTickNanos = now;
        ticks++;
    }

    /** `maxBurst`: the longest run of ticks that came at once, to catch up; `expected`: ticks due by System.nanoTime(). */
    synchronized String scheduled(Query query) {
        long now = System.nanoTime();
        return Json.object(
                "ticks", ticks,
                "expected", (now - firstTickNanos) / TimeUnit.MILLISECONDS.toNanos(TICK_MS) + 1,
                "maxBurst", maxBurst,
                "sinceLastMs", TimeUnit.NANOSECONDS.toMillis(now - lastTickNanos));
    }

    String time(Query query) {
        long nanos = System.nanoTime();
        return Json.object(
                "nanoTime", nanos,
                "currentTimeMillis", System.currentTimeMillis(),
                "elapsedMs", TimeUnit.NANOSECONDS.toMillis(nanos - startedNanos));
    }

    /** `?ms=200`: sleeps, and tells how long by both clocks. */
    String sleep(Query query) throws InterruptedException {
        return sleepAndMeasure(query.number("ms", 200));
    }

    /**
     * POST `?ms=6000&in=platform` starts a wait in something of that kind (a `platform` or `virtual` thread, or a `task` of a
     * ScheduledExecutorService), to be pending at the checkpoint; GET tells how it ended.
     */
    String pending(Query query) throws ReflectiveOperationException {
        String kind = query.text("in", "platform");
        if (query.method.equals("POST")) {
            int ms = query.number("ms", 6000);
            pending.put(kind, Json.object("state", "sleeping"));
            Runnable sleeper = () -> {
                try {
                    pending.put(kind, sleepAndMeasure(ms));
                } catch (InterruptedException interrupted) {
                    pending.put(kind, Json.object("state", "interrupted"));
                }
            };
            switch (kind) {
                case "task" -> schedule(ms);
                // There since JDK 21.
                case "virtual" -> Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, sleeper);
                default -> {
                    Thread thread = new Thread(sleeper, "pending");
                    thread.setDaemon(true);
                    thread.start();
                }
            }
        }
        return pending.getOrDefault(kind, Json.object("state", "none"));
    }

    private void schedule(int ms) {
        long nanos = System.nanoTime();
        long millis = System.currentTimeMillis();
        scheduler.schedule(() -> pending.put("task", slept(ms, nanos, millis)), ms, TimeUnit.MILLISECONDS);
    }

    private static String sleepAndMeasure(int ms) throws InterruptedException {
        long nanos = System.nanoTime();
        long millis = System.currentTimeMillis();
        Thread.sleep(ms);
        return slept(ms, nanos, millis);
    }

    private static String slept(int ms, long sinceNanos, long sinceMillis) {
        return Json.object(
                "state", "slept",
                "askedMs", ms,
                "byNanoTimeMs", (System.nanoTime() - sinceNanos) / 1e6,
                "byCurrentTimeMs", System.currentTimeMillis() - sinceMillis);
    }
}
