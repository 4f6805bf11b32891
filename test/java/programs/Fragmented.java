import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;

/** Its old generation begins with garbage, too little for an ordinary collection to move what lives over it. */
public class Fragmented {
    private static byte[][] first = new byte[12 << 10][];
    private static byte[][] live = new byte[30 << 10][];

    public static void main(String[] args) throws Exception {
        fill(first);
        fill(live);
        System.gc();
        first = null;
        System.out.println("ready");
        for (BufferedReader in = new BufferedReader(new InputStreamReader(System.in)); in.readLine() != null;) {
            for (int i = 0; i < live.length; i++) {
                if (live[i][0] != (byte) i) {
                    System.exit(1);
                }
            }
            System.out.println("sound");
        }
    }

    private static void fill(byte[][] arrays) {
        for (int i = 0; i < arrays.length; i++) {
            arrays[i] = new byte[1000];
            Arrays.fill(arrays[i], (byte) i);
        }
    }
}
