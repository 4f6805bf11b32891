import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Answers with what the service at the host name and port in BACKEND says, over a connection of its own each time. */
public final class Asking {
    public static void main(String[] arguments) throws IOException {
        ask();
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] body = ask();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static byte[] ask() throws IOException {
        String[] place = System.getenv("BACKEND").split(":");
        try (Socket socket = new Socket(place[0], Integer.parseInt(place[1]))) {
            socket.getOutputStream().write("hi".getBytes());
            return socket.getInputStream().readAllBytes();
        }
    }

    private Asking() {}
}
