/** Ends at once and says when it began to end. */
public class Exit {
    public static void main(String[] args) {
        System.out.println(System.currentTimeMillis());
    }
}
