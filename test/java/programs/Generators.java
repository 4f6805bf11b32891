import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.SecureRandomSpi;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * Prints what generators made before a checkpoint give after it. "split": this process stands for two restored ones, as
 * its generators are put back to the state that they had at the checkpoint; so "then" and "now" must differ.
 */
public class Generators {
    private static final Map<String, Supplier<Object>> ALL = new LinkedHashMap<>();

    /** An implementation that the JDK does not know. */
    public static final class Foreign extends SecureRandomSpi {
        private static final long serialVersionUID = 1;
        private static int seeded;

        @Override
        protected void engineSetSeed(byte[] seed) {
            seeded += seed.length;
        }

        @Override
        protected void engineNextBytes(byte[] bytes) {
            bytes[0] = (byte) seeded;
        }

        @Override
        protected byte[] engineGenerateSeed(int count) {
            return new byte[count];
        }
    }

    private static final class ForeignProvider extends Provider {
        private static final long serialVersionUID = 1;

        ForeignProvider() {
            super("Foreign", "1", "");
            put("SecureRandom.FOREIGN", Foreign.class.getName());
        }
    }

    private static SecureRandom secure(String algorithm) throws Exception {
        SecureRandom random = SecureRandom.getInstance(algorithm);
        random.nextInt();
        return random;
    }

    public static void main(String[] args) throws Exception {
        for (String algorithm : new String[] {"NativePRNG", "NativePRNGNonBlocking", "DRBG", "SHA1PRNG"}) {
            SecureRandom random = secure(algorithm);
            ALL.put("fresh." + algorithm, random::nextLong);
        }
        SecureRandom drbg = SecureRandom.getInstance("DRBG");
        ALL.put("fresh.unusedDRBG", drbg::nextLong);
        SecureRandom sha1 = SecureRandom.getInstance("SHA1PRNG");
        sha1.setSeed(42);
        ALL.put("seeded.SHA1PRNG", sha1::nextLong);
        SecureRandom mixed = secure("SHA1PRNG");
        mixed.setSeed(42);
        ALL.put("fresh.SHA1PRNG.setSeed", mixed::nextLong);
        SecureRandom foreign = SecureRandom.getInstance("FOREIGN", new ForeignProvider());
        ALL.put("foreign.seedBytes", () -> Foreign.seeded);
        foreign.nextInt();

        Random random = new Random();
        Random subclass = new Random() {
            private static final long serialVersionUID = 1;
        };
        Random gaussian = new Random();
        gaussian.nextGaussian();
        ALL.put("fresh.Random", random::nextLong);
        ALL.put("fresh.Random.subclass", subclass::nextLong);
        ALL.put("fresh.Random.gaussian", gaussian::nextGaussian);
        ALL.put("fresh.Random.new", () -> new Random().nextLong());
        Random seeded = new Random(42);
        seeded.nextLong();
        Random seededLater = new Random();
        seededLater.setSeed(42);
        ALL.put("seeded.Random", seeded::nextLong);
        ALL.put("seeded.Random.setSeed", seededLater::nextLong);

        SplittableRandom splittable = new SplittableRandom();
        SplittableRandom child = splittable.split();
        ALL.put("fresh.SplittableRandom", splittable::nextLong);
        ALL.put("fresh.SplittableRandom.split", child::nextLong);
        ALL.put("fresh.SplittableRandom.new", () -> new SplittableRandom().nextLong());
        SplittableRandom root = new SplittableRandom(42);
        SplittableRandom branch = root.split();
        SplittableRandom twig = branch.split();
        root.nextLong();
        ALL.put("seeded.SplittableRandom", root::nextLong);
        ALL.put("seeded.SplittableRandom.split", branch::nextLong);
        ALL.put("seeded.SplittableRandom.split.split", twig::nextLong);

        ThreadLocalRandom.current().nextInt();
        Math.random();
        UUID.randomUUID();
        ALL.put("fresh.ThreadLocalRandom", () -> ThreadLocalRandom.current().nextLong());
        ALL.put("fresh.Math.random", Math::random);
        ALL.put("fresh.UUID", UUID::randomUUID);
        System.out.println("ready");

        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            StringBuilder line = new StringBuilder("values");
            ALL.forEach((name, next) -> line.append(' ').append(name).append('=').append(next.get()));
            System.out.println(line);
        }
        System.exit(0);
    }
}
