package plainhttp;

/** Defined anew for every call of /jit. */
public final class HotLoop {
    public static long run(int n) {
        long sum = 0;
        for (int i = 0; i < n; i++) {
            sum = step(sum, i);
        }
        return sum;
    }

    private static long step(long sum, int i) {
        return sum * 31 + (i ^ (sum >>> 7));
    }

    private HotLoop() {}
}
