import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Makes garbage of all sizes and holds on to a part that it checks: a heap in which a lost page is noticed. */
public class Churn {
    private static final int LIVE = 4000;
    private static volatile boolean paused;

    public static void main(String[] args) throws Exception {
        AtomicLong rounds = new AtomicLong();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            Random random = new Random(t);
            Thread thread = new Thread(() -> churn(random, rounds));
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
        while (rounds.get() < 10) {
            Thread.sleep(5);
        }
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            if (line.equals("pause")) {
                paused = true;
                Thread.sleep(200);
                System.out.println("paused");
                continue;
            }
            paused = false;
            for (long end = rounds.get() + 6; rounds.get() < end; Thread.sleep(5)) {
                for (Thread each : threads) {
                    if (!each.isAlive()) {
                        System.out.println("broken");
                        System.exit(1);
                    }
                }
            }
            System.out.println("sound");
        }
        System.exit(0);
    }

    static void churn(Random random, AtomicLong rounds) {
        byte[][] live = new byte[LIVE][];
        for (;;) {
            for (int i = 0; i < 2000; i++) {
                int at = random.nextInt(LIVE);
                byte[] old = live[at];
                if (old != null && (old[0] != (byte) at || old[old.length - 1] != (byte) at)) {
                    throw new AssertionError("page lost under " + at);
                }
                // now and then larger than half a G1 region
                byte[] fresh = new byte[1 + random.nextInt(i % 400 == 0 ? 1_500_000 : 4000)];
                for (byte each : fresh) {
                    if (each != 0) {
                        throw new AssertionError("a new array is not zero");
                    }
                }
                fresh[0] = (byte) at;
                fresh[fresh.length - 1] = (byte) at;
                live[at] = fresh.length > 100_000 && i % 800 == 0 ? null : fresh;
            }
            rounds.incrementAndGet();
            try {
                do {
                    Thread.sleep(1);
                } while (paused);
            } catch (InterruptedException interrupted) {
                return;
            }
        }
    }
}
