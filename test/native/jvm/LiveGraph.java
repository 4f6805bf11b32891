import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.LocalDate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import java.util.zip.CRC32;

/** Objects of every kind, and a checksum over all of them. */
public class LiveGraph {
  enum Colour { RED, GREEN, BLUE }

  record Pair(Object left, Object right) {}

  static final class Node {
    final int number;
    final byte[] payload;
    Node next;
    Node other;

    Node(int number, byte[] payload) {
      this.number = number;
      this.payload = payload;
    }
  }

  /** What is loaded again and again, each time by a loader of its own. */
  public static final class Part implements LongUnaryOperator {
    private static final Map<String, Object> STATICS = new HashMap<>();
    private final long[] factors;

    public Part(Long seed) {
      factors = new Random(seed).longs(50).toArray();
      STATICS.put("seed", "seed " + seed);
    }

    @Override
    public long applyAsLong(long value) {
      for (long factor : factors) value = value * 31 + factor;
      return value + STATICS.get("seed").hashCode();
    }
  }

  static final class FreshLoader extends ClassLoader {
    FreshLoader() {
      super(LiveGraph.class.getClassLoader());
    }

    LongUnaryOperator definePart(long seed) throws ReflectiveOperationException {
      Class<?> part = defineClass("LiveGraph$Part", PART, 0, PART.length);
      return (LongUnaryOperator) part.getConstructor(Long.class).newInstance(seed);
    }
  }

  static final byte[] PART = readClass("LiveGraph$Part");
  /** More than half of a G1 region, of any size that a heap of this size has. */
  static final int HUMONGOUS_BYTES = 700_000;
  static final int PARTS = 20;
  /** What was seen to be wrong; any makes the sum fail. */
  static final AtomicLong faults = new AtomicLong();
  private static final Map<String, Object> live = new LinkedHashMap<>();
  private static final List<LongUnaryOperator> parts = new ArrayList<>();

  static void build(Random random) throws Exception {
    live.put("arrays", arrays(random, 0, 1, 7, 100, 3_000));
    live.put("humongous", arrays(random, HUMONGOUS_BYTES));
    Object[] many = new Object[HUMONGOUS_BYTES / 4];
    for (int i = 0; i < many.length; i += 97) many[i] = Integer.toString(i);
    live.put("humongous references", many);
    live.put("nested", new Object[][][] {{{1, "two"}, {3.0}}, {}, {{'f', null, new int[][] {{1}, {2, 3}}}}});

    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) texts.add((i % 2 == 0 ? "latin é " : "wide 日本 ") + random.nextLong());
    live.put("texts", texts);
    live.put("interned", List.of(texts.get(0).intern(), texts.get(1).intern(), "literal"));

    Map<String, Object> hashed = new HashMap<>();
    Map<Object, Object> byIdentity = new IdentityHashMap<>();
    Map<Object, Object> byOwnHash = new HashMap<>();
    for (String text : texts) {
      hashed.put(text, new Pair(text, List.of(text.length())));
      byIdentity.put(text, text.hashCode());
      byOwnHash.put(new Object(), text);
    }
    live.put("maps", List.of(hashed, byIdentity, byOwnHash, new TreeMap<>(hashed), new ConcurrentHashMap<>(hashed),
        new LinkedHashMap<>(hashed), new EnumMap<>(Map.of(Colour.RED, "red", Colour.BLUE, "blue"))));
    live.put("sets", List.of(new HashSet<>(texts), new ArrayDeque<>(texts.subList(0, 100))));
    live.put("values", Arrays.asList(BigInteger.TWO.pow(5_000), LocalDate.of(2020, 2, 29), 1, 2L, 3f, 4.0, 'c', true,
        Colour.GREEN, new AtomicReference<>("referent"), new AtomicLong(5)));

    Node first = newNode(0);
    Node last = first;
    List<Node> all = new ArrayList<>(List.of(first));
    for (int i = 1; i < 5_000; i++) {
      Node node = newNode(i);
      node.other = all.get(random.nextInt(all.size()));
      last.next = node;
      last = node;
      all.add(node);
    }
    last.next = first;
    live.put("ring", first);
    Map<Object, Object> weak = new WeakHashMap<>();
    weak.put(first, "first");
    live.put("references", List.of(new WeakReference<>(first), new SoftReference<>(last), weak));

    ByteBuffer direct = ByteBuffer.allocateDirect(1 << 20);
    while (direct.hasRemaining()) direct.putLong(random.nextLong());
    live.put("direct", direct);
    for (int i = 0; i < PARTS; i++) parts.add(new FreshLoader().definePart(i));
    live.put("parts", parts);
    String captured = texts.get(5);
    MethodHandle length = MethodHandles.lookup().findVirtual(String.class, "length", MethodType.methodType(int.class));
    Supplier<Object> lambda = () -> captured + captured.length();
    Supplier<?> proxy = (Supplier<?>) Proxy.newProxyInstance(LiveGraph.class.getClassLoader(),
        new Class<?>[] {Supplier.class}, (self, method, values) -> "proxy of " + method.getName() + captured);
    Supplier<Object> handle = () -> {
      try {
        return (int) length.invokeExact(captured);
      } catch (Throwable failure) {
        throw new IllegalStateException(failure);
      }
    };
    live.put("code", List.of(lambda, proxy, handle));
    live.put("locked", holdLock());
  }

  static List<Object> arrays(Random random, int... sizes) {
    List<Object> arrays = new ArrayList<>();
    for (int bytes : sizes) {
      byte[] filled = new byte[bytes];
      random.nextBytes(filled);
      ByteBuffer source = ByteBuffer.wrap(filled);
      Object[] kinds = {filled, new boolean[bytes], new char[bytes / 2], new short[bytes / 2], new int[bytes / 4],
          new float[bytes / 4], new long[bytes / 8], new double[bytes / 8]};
      for (int i = 0; i < bytes; i++) ((boolean[]) kinds[1])[i] = filled[i] > 0;
      source.asCharBuffer().get((char[]) kinds[2]);
      source.asShortBuffer().get((short[]) kinds[3]);
      source.asIntBuffer().get((int[]) kinds[4]);
      source.asFloatBuffer().get((float[]) kinds[5]);
      source.asLongBuffer().get((long[]) kinds[6]);
      source.asDoubleBuffer().get((double[]) kinds[7]);
      arrays.addAll(Arrays.asList(kinds));
    }
    return arrays;
  }

  static Node newNode(int number) {
    byte[] payload = new byte[20 + number % 300];
    Arrays.fill(payload, (byte) number);
    return new Node(number, payload);
  }

  static void check(Node node, int number) {
    if (node.number != number || node.payload.length != 20 + number % 300) faults.incrementAndGet();
    for (byte each : node.payload) if (each != (byte) number) faults.incrementAndGet();
  }

  /** The class is loaded anew, and computes what the one that was loaded at first computes. */
  static void checkNewPart(int seed, long value) throws ReflectiveOperationException {
    LongUnaryOperator part = new FreshLoader().definePart(seed);
    LongUnaryOperator before = parts.get(seed);
    if (part.getClass() == before.getClass() || part.applyAsLong(value) != before.applyAsLong(value)) faults.incrementAndGet();
  }

  /** A thread waits with a lock, so that the object's header is no plain one. */
  static Object holdLock() throws InterruptedException {
    Object lock = new Object();
    lock.hashCode();
    Thread holder = new Thread(() -> {
      synchronized (lock) {
        try {
          Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException interrupted) {
          faults.incrementAndGet();
        }
      }
    });
    holder.setDaemon(true);
    holder.start();
    while (holder.getState() != Thread.State.TIMED_WAITING) Thread.sleep(1);
    return lock;
  }

  /** Of content, order, identity, classes and identity hashes of all that `live` reaches. */
  static long sum() throws Exception {
    CRC32 sum = new CRC32();
    Map<Object, Integer> seen = new IdentityHashMap<>();
    ArrayDeque<Object> open = new ArrayDeque<>(List.of(live));
    while (!open.isEmpty()) {
      Object object = open.removeLast();
      Integer before = seen.putIfAbsent(object, seen.size());
      addText(sum, before == null ? object.getClass().getName() : "again " + before);
      if (before == null) visit(object, sum, value -> {
        if (value == null) addText(sum, "null");
        else open.addLast(value);
      });
    }
    if (faults.get() != 0) throw new IllegalStateException(faults + " faults");
    return sum.getValue();
  }

  interface Visitor {
    void found(Object value);
  }

  static void visit(Object object, CRC32 sum, Visitor visitor) throws Exception {
    if (object instanceof String text) addText(sum, text + (text == text.intern()));
    else if (object instanceof Number || object instanceof Character || object instanceof Boolean
        || object instanceof Enum || object instanceof LocalDate) addText(sum, object.toString());
    else if (object instanceof ByteBuffer buffer) sum.update(buffer.duplicate().rewind());
    else if (object instanceof LongUnaryOperator part) addText(sum, Long.toString(part.applyAsLong(7)));
    else if (object instanceof Supplier<?> code) visitor.found(code.get());
    else if (object instanceof WeakReference<?> weak) visitor.found(weak.get());
    else if (object instanceof SoftReference<?> soft) visitor.found(soft.get());
    else if (object instanceof AtomicReference<?> reference) visitor.found(reference.get());
    else if (object instanceof Collection<?> values) for (Object value : values) visitor.found(value);
    else if (object instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        visitor.found(entry.getKey());
        visitor.found(entry.getValue());
      }
    } else if (object.getClass().isArray()) {
      boolean isPrimitive = object.getClass().getComponentType().isPrimitive();
      int length = Array.getLength(object);
      addText(sum, Integer.toString(length));
      if (isPrimitive) sum.update(bytesOf(object));
      else for (int i = 0; i < length; i++) visitor.found(Array.get(object, i));
    } else if (object.getClass() == Object.class) {
      addText(sum, Integer.toString(System.identityHashCode(object)));
    } else {
      addText(sum, Integer.toString(System.identityHashCode(object)));
      for (Field field : object.getClass().getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers())) continue;
        field.setAccessible(true);
        visitor.found(field.get(object));
      }
    }
  }

  static ByteBuffer bytesOf(Object array) {
    int length = Array.getLength(array);
    ByteBuffer bytes = ByteBuffer.allocate(length * 8);
    if (array instanceof byte[] values) bytes.put(values);
    else if (array instanceof boolean[] values) for (boolean value : values) bytes.put((byte) (value ? 1 : 0));
    else if (array instanceof char[] values) bytes.asCharBuffer().put(values);
    else if (array instanceof short[] values) bytes.asShortBuffer().put(values);
    else if (array instanceof int[] values) bytes.asIntBuffer().put(values);
    else if (array instanceof float[] values) bytes.asFloatBuffer().put(values);
    else if (array instanceof long[] values) bytes.asLongBuffer().put(values);
    else bytes.asDoubleBuffer().put((double[]) array);
    return bytes.rewind();
  }

  static void addText(CRC32 sum, String text) {
    sum.update(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  static byte[] readClass(String name) {
    try (InputStream in = LiveGraph.class.getResourceAsStream(name + ".class")) {
      return in.readAllBytes();
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
