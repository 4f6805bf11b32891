import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Answers questions about its own health, before and after a restore. */
public class RestoredApp {
  static final AtomicInteger hits = new AtomicInteger();
  static final AtomicInteger ticks = new AtomicInteger();
  static final AtomicLong rounds = new AtomicLong();
  static final AtomicLong wrongSums = new AtomicLong();
  static volatile Object sink;

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
    server.createContext("/", exchange -> {
      String answer;
      try {
        answer = answer(exchange.getRequestURI().getPath());
      } catch (Throwable failure) {
        answer = failure.toString();
      }
      byte[] bytes = answer.getBytes();
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
    server.setExecutor(Executors.newFixedThreadPool(4));
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    timer.scheduleAtFixedRate(ticks::incrementAndGet, 100, 100, TimeUnit.MILLISECONDS);
    Thread spinner = new Thread(RestoredApp::spin, "spinner");
    spinner.setDaemon(true);
    spinner.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("shutdown hook ran")));
    server.start();
    System.out.println("ready");
  }

  /** Always in compiled code with vector registers in use: whatever the restore breaks there makes a sum wrong. */
  static void spin() {
    double[] values = new double[4096];
    for (int i = 0; i < values.length; i++) values[i] = i * 0.5;
    long[] bits = new long[4096];
    for (int i = 0; i < bits.length; i++) bits[i] = i * 2654435761L;
    double expected = sum(values);
    long expectedBits = mix(bits);
    for (;;) {
      if (sum(values) != expected || mix(bits) != expectedBits) wrongSums.incrementAndGet();
      rounds.incrementAndGet();
    }
  }

  static double sum(double[] values) {
    double sum = 0;
    for (int i = 0; i < values.length; i++) sum += values[i] * 3;
    return sum;
  }

  static long mix(long[] values) {
    long sum = 0;
    for (int i = 0; i < values.length; i++) sum += values[i] ^ (values[i] << 1);
    return sum;
  }

  static String answer(String path) throws Exception {
    switch (path) {
      case "/hit": return "hits " + hits.incrementAndGet();
      case "/gc":
        for (int i = 0; i < 200; i++) sink = new byte[1 << 18];
        System.gc();
        return "collected";
      case "/threads": {
        AtomicInteger count = new AtomicInteger();
        Thread[] threads = new Thread[100];
        for (int i = 0; i < threads.length; i++) (threads[i] = new Thread(count::incrementAndGet)).start();
        for (Thread thread : threads) thread.join();
        return "threads " + count.get();
      }
      case "/null":
        try {
          return "hash " + nothing().hashCode();
        } catch (NullPointerException expected) {
          return "caught";
        }
      case "/overflow":
        try {
          return "depth " + dive(0);
        } catch (StackOverflowError expected) {
          return "caught";
        }
      case "/ticks": return "" + ticks.get();
      case "/rounds": return rounds.get() + " " + wrongSums.get();
      case "/sleep": {
        long start = System.nanoTime();
        Thread.sleep(100);
        return "" + (System.nanoTime() - start) / 1_000_000;
      }
      default: return "unknown";
    }
  }

  static Object nothing() {
    return hits.get() < 0 ? "" : null;
  }

  static int dive(int depth) {
    return dive(depth + 1) + 1;
  }
}
