package plainhttp;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Numbers that two replicas of one image must not share. The generators were made, and used, before the checkpoint. */
final class Randomness {
    private static final SecureRandom SECURE = new SecureRandom();
    private static final Random RANDOM = new Random();
    private static final SplittableRandom SPLITTABLE = new SplittableRandom();

    static synchronized String values(Query query) {
        byte[] secure = new byte[16];
        SECURE.nextBytes(secure);
        return Json.object(
                "secureRandom", HexFormat.of().formatHex(secure),
                "uuid", UUID.randomUUID(),
                "random", RANDOM.nextLong(),
                "mathRandom", Math.random(),
                "splittable", Long.toHexString(SPLITTABLE.nextLong()),
                "threadLocal", Long.toHexString(ThreadLocalRandom.current().nextLong()),
                "newRandom", Long.toHexString(new Random().nextLong()));
    }

    private Randomness() {}
}
