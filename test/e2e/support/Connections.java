import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Holds connections of its clients open: the JDK's HTTP server on the first port, and on the second one a server whose
 * threads (virtual where the JDK has them) are blocked in accept and read. It echoes what it reads.
 */
public final class Connections {
    private static final AtomicInteger ACCEPTED = new AtomicInteger();
    private static final AtomicInteger ENDED = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        Executor threads = threads();
        ServerSocket echo = new ServerSocket(Integer.parseInt(arguments[1]));
        threads.execute(() -> acceptAll(echo, threads));
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(arguments[0])), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            String facts = "{\"accepted\": %d, \"ended\": %d, \"sockets\": %d}"
                    .formatted(ACCEPTED.get(), ENDED.get(), countSockets());
            byte[] body = facts.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static Executor threads() throws ReflectiveOperationException {
        try {
            return (Executor) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException before21) {
            return Executors.newCachedThreadPool();
        }
    }

    private static void acceptAll(ServerSocket server, Executor threads) {
        try {
            for (;;) {
                Socket socket = server.accept();
                ACCEPTED.incrementAndGet();
                threads.execute(() -> echo(socket));
            }
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static void echo(Socket socket) {
        try (socket; InputStream in = socket.getInputStream()) {
            byte[] bytes = new byte[100];
            for (int length = in.read(bytes); length > 0; length = in.read(bytes)) {
                socket.getOutputStream().write(bytes, 0, length);
            }
            ENDED.incrementAndGet();
        } catch (IOException failure) {
            System.out.println("not an end: " + failure);
        }
    }

    private static long countSockets() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(Connections::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    private Connections() {}
}
