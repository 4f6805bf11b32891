import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** Holds some megabytes, and fills the rest of its heap with bytes that nobody refers to any more. */
public class GarbageApp {
  static final List<Object[]> live = new ArrayList<>();
  static final byte[] template = new byte[40_000];
  static final List<byte[]> larger = new ArrayList<>();
  static volatile Object sink;

  public static void main(String[] arguments) throws Exception {
    java.util.Arrays.fill(template, (byte) 'g');
    for (int i = 0; i < 100; i++) {
      byte[] bytes = new byte[30_000];
      java.util.Arrays.fill(bytes, (byte) i);
      live.add(new Object[] {bytes, "number " + i, i == 0 ? null : live.get(i - 1)});
    }
    byte[] large = new byte[1_300_000]; // takes whole regions of G1, and ends within one
    java.util.Arrays.fill(large, (byte) 'L');
    live.add(new Object[] {large, "large", live.get(7)});
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
    server.createContext("/sum", exchange -> {
      byte[] answer = Long.toString(sum()).getBytes();
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.createContext("/garbage", exchange -> {
      for (int i = 0; i < 2_000; i++) sink = template.clone();
      sink = null;
      System.gc();
      exchange.sendResponseHeaders(204, -1);
      exchange.close();
    });
    server.createContext("/large", exchange -> {
      fillWithLonger();
      System.gc();
      for (int i = 0; i < 3; i++) {
        byte[] bytes = new byte[1_300_000];
        java.util.Arrays.fill(bytes, (byte) 'L');
        larger.add(bytes);
      }
      exchange.sendResponseHeaders(204, -1);
      exchange.close();
    });
    server.start();
  }

  /** What comes next takes the place of these; of G1 it is shorter, and leaves behind what it does not need. */
  static void fillWithLonger() {
    for (int i = 0; i < 3; i++) {
      byte[] bytes = new byte[1_990_000];
      java.util.Arrays.fill(bytes, (byte) 'g');
      larger.add(bytes);
    }
    larger.clear();
  }

  static long sum() {
    CRC32 sum = new CRC32();
    Object[] before = null;
    for (Object[] holder : live) {
      sum.update((byte[]) holder[0]);
      sum.update(((String) holder[1]).getBytes());
      if (holder[2] != null) sum.update(holder[2] == before || holder[1].equals("large") ? 1 : 0);
      before = holder;
    }
    return sum.getValue();
  }
}
