import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.reflect.Field;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Foretells what generators would give without a checkpoint, and compares it with what they give after one. Two processes
 * restored from one image start from one state, so what cannot be foretold from that state differs between them as well.
 */
public class Twins {
    private static final Map<String, LongSupplier> ALL = new LinkedHashMap<>();
    private static final Map<String, Long> FORETOLD = new LinkedHashMap<>();

    @SuppressWarnings("unchecked")
    private static <T> T copy(T generator) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(generator);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) in.readObject();
        }
    }

    private static void add(String name, Random generator) throws Exception {
        generator.nextLong();
        FORETOLD.put(name, copy(generator).nextLong());
        ALL.put(name, generator::nextLong);
    }

    private static void add(String name, SplittableRandom generator) throws Exception {
        Map<Field, Object> before = new LinkedHashMap<>();
        for (String field : new String[] {"seed"}) {
            Field each = SplittableRandom.class.getDeclaredField(field);
            each.setAccessible(true);
            before.put(each, each.get(generator));
        }
        FORETOLD.put(name, generator.nextLong());
        for (Map.Entry<Field, Object> each : before.entrySet()) {
            each.getKey().set(generator, each.getValue());
        }
        ALL.put(name, generator::nextLong);
    }

    public static void main(String[] args) throws Exception {
        add("Random", new Random());
        Random gaussian = new Random();
        gaussian.nextGaussian(); // there are two at a time
        FORETOLD.put("Gaussian", Double.doubleToLongBits(copy(gaussian).nextGaussian()));
        ALL.put("Gaussian", () -> Double.doubleToLongBits(gaussian.nextGaussian()));
        add("SHA1PRNG", SecureRandom.getInstance("SHA1PRNG"));
        SecureRandom drbg = SecureRandom.getInstance("DRBG");
        drbg.nextLong();
        ALL.put("DRBG", () -> isInstantiated(drbg) ? 0 : 1);
        FORETOLD.put("DRBG", 0L);
        add("SplittableRandom", new SplittableRandom());
        Field seed = Thread.class.getDeclaredField("threadLocalRandomSeed");
        seed.setAccessible(true);
        ThreadLocalRandom.current().nextLong();
        long before = seed.getLong(Thread.currentThread());
        FORETOLD.put("ThreadLocalRandom", ThreadLocalRandom.current().nextLong());
        seed.setLong(Thread.currentThread(), before);
        ALL.put("ThreadLocalRandom", () -> ThreadLocalRandom.current().nextLong());

        add("seededRandom", new Random(42));
        SecureRandom sha1 = SecureRandom.getInstance("SHA1PRNG");
        sha1.setSeed(42);
        add("seededSHA1PRNG", sha1);
        add("seededSplittableRandom", new SplittableRandom(42));
        System.out.println("ready");
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        StringBuilder equal = new StringBuilder("equal");
        StringBuilder differ = new StringBuilder("differ");
        ALL.forEach((name, next) -> (next.getAsLong() == FORETOLD.get(name) ? equal : differ).append(' ').append(name));
        System.out.println(differ);
        System.out.println(equal);
        Field factor = Random.class.getDeclaredField("seedUniquifier");
        factor.setAccessible(true);
        System.out.println("factor " + (((AtomicLong) factor.get(null)).get() % 2 == 0 ? "even" : "odd"));
        System.exit(0);
    }

    /** A DRBG begins anew, with fresh entropy, when it is used next. */
    private static boolean isInstantiated(SecureRandom random) {
        try {
            Field spi = SecureRandom.class.getDeclaredField("secureRandomSpi");
            spi.setAccessible(true);
            Field implementation = spi.get(random).getClass().getDeclaredField("impl");
            implementation.setAccessible(true);
            Field flag = implementation.getType().getDeclaredField("instantiated");
            flag.setAccessible(true);
            return flag.getBoolean(implementation.get(spi.get(random)));
        } catch (ReflectiveOperationException unknown) {
            throw new IllegalStateException(Arrays.toString(unknown.getStackTrace()), unknown);
        }
    }
}
