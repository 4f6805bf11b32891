import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Takes native memory and space for code, and gives it back: what it had is full of old bytes. */
public class ChurnApp {
  /** Loaded again and again, each time by a loader of its own, and compiled each time. */
  public static class Work {
    public static long run(int rounds) {
      long sum = 0;
      for (int i = 0; i < rounds; i++) sum += first(i) ^ second(i + "") ^ third(new int[] {i, i + 1, 7});
      return sum;
    }

    static long first(int i) {
      long value = i;
      for (int j = 0; j < 8; j++) value = value * 31 + (value >>> 7) % (j + 3);
      return value;
    }

    static long second(String text) {
      StringBuilder builder = new StringBuilder(text).reverse().append(text.length()).append(text);
      return builder.indexOf("7") * 17L + builder.toString().hashCode();
    }

    static long third(int[] numbers) {
      Arrays.sort(numbers);
      return numbers[0] * 3L + numbers[numbers.length - 1] / (1 + (numbers[1] & 3));
    }
  }

  static class OwnLoader extends ClassLoader {
    Class<?> define(byte[] bytes) {
      return defineClass("ChurnApp$Work", bytes, 0, bytes.length);
    }
  }

  interface Answer {
    String get() throws Exception;
  }

  static final List<Object[]> kept = new ArrayList<>();
  static final List<Class<?>> scattered = new ArrayList<>();

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
    on(server, "/code", () -> "" + compileAndUnload(40));
    on(server, "/malloc", () -> "" + deflate(40));
    on(server, "/keep", () -> {
      kept.add(new Object[] {load(), new Deflater(), "kept " + kept.size()});
      return "" + kept.size();
    });
    on(server, "/classes", () -> "" + loadAndUnload(400));
    on(server, "/idle", ChurnApp::awaitIdleCompilers);
    server.start();
  }

  static void on(HttpServer server, String path, Answer answer) {
    server.createContext(path, exchange -> {
      byte[] bytes;
      int status = 200;
      try {
        bytes = answer.get().getBytes(StandardCharsets.UTF_8);
      } catch (Exception error) {
        status = 500;
        bytes = error.toString().getBytes(StandardCharsets.UTF_8);
      }
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
  }

  /** Every class computes the same, compiled or not. */
  static long compileAndUnload(int classes) throws Exception {
    long expected = Work.run(3_000);
    List<Class<?>> loaded = new ArrayList<>();
    for (int i = 0; i < classes; i++) {
      Class<?> work = load();
      loaded.add(work);
      long sum = (long) work.getMethod("run", int.class).invoke(null, 3_000);
      if (sum != expected) throw new IllegalStateException(sum + " is not " + expected);
    }
    for (Object[] holder : kept)
      if ((long) ((Class<?>) holder[0]).getMethod("run", int.class).invoke(null, 3_000) != expected)
        throw new IllegalStateException("a class that was kept computes something else");
    loaded.clear();
    for (int i = 0; i < 4; i++) System.gc();
    return expected;
  }

  /** Between the classes that are unloaded some stay from the first time on, so that what is free lies in small pieces. */
  static long loadAndUnload(int classes) throws Exception {
    boolean isFirst = scattered.isEmpty();
    long expected = Work.run(20);
    List<Class<?>> loaded = new ArrayList<>(scattered);
    for (int i = 0; i < classes; i++) {
      Class<?> work = load();
      loaded.add(work);
      if (isFirst && i % 20 == 0) scattered.add(work);
    }
    for (Class<?> work : loaded)
      if ((long) work.getMethod("run", int.class).invoke(null, 20) != expected)
        throw new IllegalStateException("one of many classes computes something else");
    loaded.clear();
    for (int i = 0; i < 4; i++) System.gc();
    return expected;
  }

  static Class<?> load() throws Exception {
    try (InputStream in = ChurnApp.class.getResourceAsStream("ChurnApp$Work.class")) {
      return new OwnLoader().define(in.readAllBytes());
    }
  }

  /** What is compressed by many native streams at once is the same when it is decompressed. */
  static long deflate(int streams) throws Exception {
    byte[] bytes = new byte[200_000];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (i * i >>> 5);
    List<Deflater> open = new ArrayList<>();
    long sum = 0;
    byte[] packed = new byte[bytes.length + 1_000];
    byte[] unpacked = new byte[bytes.length];
    for (int i = 0; i < streams; i++) {
      Deflater deflater = new Deflater(1 + i % 9);
      open.add(deflater);
      deflater.setInput(bytes);
      deflater.finish();
      int length = deflater.deflate(packed);
      Inflater inflater = new Inflater();
      inflater.setInput(packed, 0, length);
      if (inflater.inflate(unpacked) != bytes.length || !Arrays.equals(bytes, unpacked))
        throw new IllegalStateException("stream " + i + " gives something else");
      inflater.end();
      CRC32 crc = new CRC32();
      crc.update(packed, 0, length);
      sum += crc.getValue();
    }
    for (Deflater deflater : open) deflater.end();
    return sum;
  }

  static String awaitIdleCompilers() throws InterruptedException {
    CompilationMXBean compilers = ManagementFactory.getCompilationMXBean();
    for (int same = 0, round = 0; same < 10 && round < 200; round++) {
      long before = compilers.getTotalCompilationTime();
      Thread.sleep(50);
      same = compilers.getTotalCompilationTime() == before ? same + 1 : 0;
    }
    return "idle";
  }
}
