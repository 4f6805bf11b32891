package plainhttp;

import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Numbers that two replicas of one image must not share. The generators were made, and used, before the checkpoint. */
final class Randomness {
    private static final int SEED = 42;
    private static final SecureRandom SECURE = new SecureRandom();
    private static final SecureRandom DRBG = secure("DRBG");
    private static final SecureRandom SHA1 = secure("SHA1PRNG");
    private static final Random RANDOM = new Random();
    private static final SplittableRandom SPLITTABLE = new SplittableRandom();
    private static final SplittableRandom SPLIT = SPLITTABLE.split();

    private static final SecureRandom SEEDED_SHA1 = secure("SHA1PRNG");
    private static final Random SEEDED_RANDOM = new Random(SEED);
    private static final SplittableRandom SEEDED_SPLITTABLE = new SplittableRandom(SEED);

    static {
        SEEDED_SHA1.setSeed(SEED);
    }

    private static SecureRandom secure(String algorithm) {
        try {
            return SecureRandom.getInstance(algorithm);
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException(missing);
        }
    }

    static synchronized String values(Query query) {
        byte[] secure = new byte[16];
        SECURE.nextBytes(secure);
        return Json.object(
                "secureRandom", HexFormat.of().formatHex(secure),
                "newSecureRandom", Long.toHexString(new SecureRandom().nextLong()),
                "drbg", Long.toHexString(DRBG.nextLong()),
                "sha1", Long.toHexString(SHA1.nextLong()),
                "uuid", UUID.randomUUID(),
                "random", Long.toHexString(RANDOM.nextLong()),
                "mathRandom", Math.random(),
                "splittable", Long.toHexString(SPLITTABLE.nextLong()),
                "split", Long.toHexString(SPLIT.nextLong()),
                "newSplittable", Long.toHexString(new SplittableRandom().nextLong()),
                "threadLocal", Long.toHexString(ThreadLocalRandom.current().nextLong()),
                "newRandom", Long.toHexString(new Random().nextLong()));
    }

    /** Of generators that the app has seeded: the same in all replicas. */
    static synchronized String seeded(Query query) {
        return Json.object(
                "sha1", Long.toHexString(SEEDED_SHA1.nextLong()),
                "random", Long.toHexString(SEEDED_RANDOM.nextLong()),
                "splittable", Long.toHexString(SEEDED_SPLITTABLE.nextLong()));
    }

    private Randomness() {}
}
