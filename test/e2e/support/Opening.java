import com.sun.net.httpserver.HttpServer;
import java.io.FileOutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

/** An app that writes a log and holds a connection to a server: to itself, for it needs no other. */
public final class Opening {
    public static void main(String[] arguments) throws Exception {
        FileOutputStream log = new FileOutputStream("/tmp/app.log", true);
        Socket[] upstream = new Socket[1];
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            log.write((path + "\n").getBytes());
            String answer = path.equals("/log") ? Files.readString(Path.of("/tmp/app.log"))
                    : path.equals("/upstream") ? "read " + upstream[0].getInputStream().read() : "ready";
            exchange.sendResponseHeaders(200, answer.length());
            exchange.getResponseBody().write(answer.getBytes());
            exchange.close();
        });
        server.start();
        upstream[0] = new Socket("127.0.0.1", 8080);
    }
}
