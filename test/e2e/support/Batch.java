import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.util.TreeMap;
import jdk.crac.CheckpointException;
import jdk.crac.Core;
import jdk.crac.RestoreException;

/** Loads its table, asks for its checkpoint, and looks up what it then reads, or, with "serve", is asked for. */
public class Batch {
    public static void main(String[] args) throws Exception {
        TreeMap<String, Integer> squares = new TreeMap<>();
        for (int i = 0; i < 1000; i++) {
            squares.put("" + i, i * i);
        }
        System.out.println("loaded " + squares.size());
        if (args.length > 0 && args[0].equals("end")) {
            System.exit(4);
        }
        if (args.length > 0 && args[0].equals("idle")) {
            Thread.sleep(60_000);
        }
        System.out.println(ask());
        if (args.length > 0 && args[0].equals("serve")) {
            serve(squares);
            return;
        }
        System.exit(answer(squares));
    }

    /** GET /NUMBER: its square. */
    static void serve(TreeMap<String, Integer> squares) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] answer = ("" + squares.get(exchange.getRequestURI().getPath().substring(1))).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }

    static String ask() throws RestoreException {
        try {
            Core.checkpointRestore();
            return "restored for " + System.getenv("CUSTOMER") + " in " + Thread.currentThread().getName();
        } catch (CheckpointException | UnsupportedOperationException none) {
            return "not restored: " + none.getMessage();
        }
    }

    /** How many lines there were. */
    static int answer(TreeMap<String, Integer> squares) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        int lines = 0;
        for (String line; (line = input.readLine()) != null; lines++) {
            System.out.println(line + " " + squares.get(line));
        }
        return lines;
    }
}
