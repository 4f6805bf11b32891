import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Answers: /work is work that becomes fast; from changeMs after the first of it on, it is other work. /idle does nothing. */
public final class Server {
    private static long changeNanos = Long.MAX_VALUE;

    /** @param arguments changeMs, or nothing */
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            boolean isWork = exchange.getRequestURI().getPath().equals("/work");
            if (isWork && changeNanos == Long.MAX_VALUE && arguments.length > 0) {
                changeNanos = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000;
            }
            String answer = !isWork ? "idle" : System.nanoTime() < changeNanos ? count(400) : describe(300);
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        System.out.println("listens on " + server.getAddress().getPort());
    }

    private static String count(int n) {
        TreeMap<Integer, String> map = new TreeMap<>();
        for (int i = 0; i < n; i++) {
            map.merge(i * 31 % 97, "x", (a, b) -> a.length() > 20 ? b : a + b);
        }
        return String.valueOf(map.hashCode());
    }

    /** Classes and methods that nothing has needed before. */
    private static String describe(int n) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            words.add(Integer.toString(i * 7919, 36));
        }
        return words.stream().filter(word -> word.matches("[a-z0-9]*[aeiou][a-z0-9]*")).sorted()
                .map(word -> String.format("%s:%04x", word, word.hashCode())).distinct()
                .collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.joining(",")))
                .toString();
    }
}
