import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Scanner;

/** Tells the address of each name it reads. */
public class Names {
    public static void main(String[] args) {
        System.out.println("ready");
        Scanner in = new Scanner(System.in);
        while (in.hasNextLine()) {
            String name = in.nextLine();
            try {
                System.out.println(name + " is " + InetAddress.getByName(name).getHostAddress());
            } catch (UnknownHostException unknown) {
                System.out.println(name + " is unknown");
            }
        }
    }
}
