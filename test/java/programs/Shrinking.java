import java.io.BufferedReader;
import java.io.InputStreamReader;

/** Its heap has been large, and is nearly empty. */
public class Shrinking {
    private static byte[][] held = new byte[400][];

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < held.length; i++) {
            held[i] = new byte[1 << 20];
        }
        System.gc();
        held = null;
        System.out.println("ready");
        new BufferedReader(new InputStreamReader(System.in)).readLine();
    }
}
