import java.io.BufferedReader;
import java.io.InputStreamReader;

/**
 * Work whose kind changes: each "work MS" goes on with what "next" has chosen. The JIT relies on there being one subclass,
 * until a second one is loaded.
 */
public final class Phases {
    abstract static class Step {
        abstract long apply(long value);

        /** Only the subclass that is loaded can be meant: compiled code says so, until there is another. */
        static long repeat(Step step, long value) {
            long result = value;
            for (int i = 0; i < 1000; i++) {
                result = step.apply(result) + 1;
            }
            return result;
        }
    }

    static final class Add extends Step {
        @Override
        long apply(long value) {
            return value * 31 + 7;
        }
    }

    /** Named by a text only, so that it is not loaded before "next". */
    static final class Mix extends Step {
        @Override
        long apply(long value) {
            return Long.rotateLeft(value, 13) ^ value >>> 5;
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        Step step = new Add();
        System.out.println("ready");
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            if (words[0].equals("next")) {
                step = (Step) Class.forName("Phases$Mix").getDeclaredConstructor().newInstance();
                System.out.println("changed");
            } else if (words[0].equals("collect")) {
                System.gc();
                System.out.println("collected");
            } else {
                long end = System.currentTimeMillis() + Long.parseLong(words[1]);
                long value = 1;
                while (System.currentTimeMillis() < end) {
                    value = Step.repeat(step, value);
                }
                System.out.println("worked " + (value == 0));
            }
        }
    }
}
