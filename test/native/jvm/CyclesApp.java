import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;

/** Counts what happens to it over many checkpoints; answers each connection with one line "name value …". */
public class CyclesApp implements Resource {
  static final AtomicInteger before = new AtomicInteger();
  static final AtomicInteger after = new AtomicInteger();
  static final AtomicInteger ticks = new AtomicInteger();
  static final AtomicLong backwards = new AtomicLong();
  static final List<long[]> table = new ArrayList<>();
  static final CyclesApp resource = new CyclesApp();
  static volatile Object sink;
  /** Garbage from the first restore on. */
  static final byte ONCE = 0x5a;
  static byte[] once;

  public static void main(String[] arguments) throws Exception {
    Core.getGlobalContext().register(resource);
    for (int i = 0; i < 64; i++) table.add(new long[8192]); // 4 MiB
    once = new byte[1 << 20]; // behind what stays
    Arrays.fill(once, ONCE);
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
    timer.scheduleAtFixedRate(ticks::incrementAndGet, 10, 10, TimeUnit.MILLISECONDS);
    long[] last = {System.nanoTime()};
    timer.scheduleAtFixedRate(() -> {
      long now = System.nanoTime();
      if (now < last[0]) backwards.incrementAndGet();
      last[0] = now;
    }, 1, 1, TimeUnit.MILLISECONDS);
    try (ServerSocket server = new ServerSocket(Integer.parseInt(arguments[0]), 50, InetAddress.getLoopbackAddress())) {
      for (long requests = 1;; requests++) {
        try (Socket client = server.accept()) {
          client.getOutputStream().write(answer(requests).getBytes());
        }
      }
    }
  }

  static String answer(long requests) {
    long sum = work(requests);
    System.gc();
    return "requests " + requests + " sum " + sum + " before " + before + " after " + after + " ticks " + ticks
        + " backwards " + backwards + " nanos " + System.nanoTime() + " pid " + ProcessHandle.current().pid();
  }

  /** Every second array is written by each request: some memory stays as it was restored, some does not. */
  static long work(long requests) {
    long sum = 0;
    for (int i = 0; i < table.size(); i++) {
      long[] row = table.get(i);
      if (i % 2 == 0) row[(int) (requests * 511 % row.length)] += i;
      for (long value : row) sum += value;
    }
    for (int i = 0; i < 100; i++) sink = new byte[1 << 16];
    sink = null;
    return sum;
  }

  @Override
  public void beforeCheckpoint(Context<? extends Resource> context) {
    before.incrementAndGet();
  }

  @Override
  public void afterRestore(Context<? extends Resource> context) {
    after.incrementAndGet();
    once = null;
  }
}
