package plainhttp;

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
    private volatile String pending = Json.object("state", "none");

    Clock(long startedNanos) {
        this.startedNanos = startedNanos;
        this.firstTickNanos = System.nanoTime();
        this.lastTickNanos = firstTickNanos - TimeUnit.MILLISECONDS.toNanos(TICK_MS);
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor(task -> {
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

    /** POST `?ms=6000` starts a sleep in a thread of its own, to be pending at the checkpoint; GET tells how it ended. */
    String pending(Query query) {
        if (query.method.equals("POST")) {
            int ms = query.number("ms", 6000);
            pending = Json.object("state", "sleeping");
            Thread sleeper = new Thread(() -> {
                try {
                    pending = sleepAndMeasure(ms);
                } catch (InterruptedException interrupted) {
                    pending = Json.object("state", "interrupted");
                }
            }, "pending");
            sleeper.setDaemon(true);
            sleeper.start();
        }
        return pending;
    }

    private static String sleepAndMeasure(int ms) throws InterruptedException {
        long nanos = System.nanoTime();
        long millis = System.currentTimeMillis();
        Thread.sleep(ms);
        return Json.object(
                "state", "slept",
                "askedMs", ms,
                "byNanoTimeMs", (System.nanoTime() - nanos) / 1e6,
                "byCurrentTimeMs", System.currentTimeMillis() - millis);
    }
}
