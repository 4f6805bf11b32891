import com.sun.net.httpserver.HttpServer;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Holds a live graph, tells its checksum, and gives the collector hard work. */
public class LiveGraphApp {
  /** Old when the JVM is dumped, and from then on filled with what is young. */
  static final AtomicReferenceArray<LiveGraph.Node> replaced = new AtomicReferenceArray<>(20_000);
  static volatile Object sink;

  public static void main(String[] arguments) throws Exception {
    LiveGraph.build(new Random(1));
    for (int i = 0; i < replaced.length(); i++) replaced.set(i, LiveGraph.newNode(i));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
    answer(server, "/sum", query -> Long.toString(LiveGraph.sum()));
    answer(server, "/garbage", query -> {
      for (int i = 0; i < 3_000; i++) sink = new byte[10_000];
      sink = new byte[LiveGraph.HUMONGOUS_BYTES * 2];
      sink = null;
      System.gc();
      return "";
    });
    answer(server, "/stress", query -> stress(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(query))));
    server.start();
  }

  interface Answer {
    String to(String query) throws Exception;
  }

  static void answer(HttpServer server, String path, Answer answer) {
    server.createContext(path, exchange -> {
      int status = 200;
      String text;
      try {
        text = answer.to(exchange.getRequestURI().getQuery());
      } catch (Exception | Error failure) {
        failure.printStackTrace();
        status = 500;
        text = failure.toString();
      }
      byte[] bytes = text.getBytes();
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
  }

  /** JSON: how much was done; any fault that was seen makes the next /sum fail. */
  static String stress(long nanos) throws Exception {
    long end = System.nanoTime() + nanos;
    long collectionsBefore = collections();
    AtomicLong bytes = new AtomicLong();
    AtomicLong classes = new AtomicLong();
    List<Thread> workers = new ArrayList<>();
    for (int number = 0; number < 3; number++) {
      Random random = new Random(number);
      Thread worker = new Thread(() -> {
        try {
          work(random, end, bytes, classes);
        } catch (Throwable failure) {
          failure.printStackTrace();
          LiveGraph.faults.incrementAndGet();
        }
      });
      worker.start();
      workers.add(worker);
    }
    int forced = 0;
    do {
      System.gc();
      forced++;
      Thread.sleep(50);
    } while (System.nanoTime() < end);
    for (Thread worker : workers) worker.join();
    for (int i = 0; i < replaced.length(); i++) LiveGraph.check(replaced.get(i), i);
    return "{\"forced\":" + forced + ",\"collections\":" + (collections() - collectionsBefore) + ",\"megabytes\":"
        + (bytes.get() >> 20) + ",\"classes\":" + classes.get() + ",\"faults\":" + LiveGraph.faults.get() + "}";
  }

  static void work(Random random, long end, AtomicLong bytes, AtomicLong classes) throws Exception {
    Object[] recent = new Object[500];
    for (int round = 0; System.nanoTime() < end; round++) {
      long made = 0;
      for (int i = 0; i < 2_000; i++) {
        int size = random.nextInt(random.nextInt(20) == 0 ? 20_000 : 500);
        byte[] array = new byte[size];
        for (byte each : array) if (each != 0) LiveGraph.faults.incrementAndGet();
        Arrays.fill(array, (byte) size);
        made += size;
        recent[random.nextInt(recent.length)] = i % 3 == 0 ? new LiveGraph.Pair(array, "pair " + i) : array;
        int at = random.nextInt(replaced.length());
        LiveGraph.check(replaced.getAndSet(at, LiveGraph.newNode(at)), at);
      }
      for (Object each : recent) {
        Object array = each instanceof LiveGraph.Pair pair ? pair.left() : each;
        if (!(array instanceof byte[] values)) continue;
        for (byte value : values) if (value != (byte) values.length) LiveGraph.faults.incrementAndGet();
      }
      if (round % 8 == 0) {
        long[] humongous = new long[LiveGraph.HUMONGOUS_BYTES / 8 + random.nextInt(LiveGraph.HUMONGOUS_BYTES / 8)];
        for (long each : humongous) if (each != 0) LiveGraph.faults.incrementAndGet();
        Arrays.fill(humongous, round);
        made += humongous.length * 8L;
        sink = humongous;
        LiveGraph.checkNewPart(random.nextInt(LiveGraph.PARTS), round);
        classes.incrementAndGet();
        ("interned " + random.nextInt(10_000)).intern();
      }
      bytes.addAndGet(made);
    }
  }

  static long collections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(bean -> bean.getCollectionCount()).sum();
  }
}
