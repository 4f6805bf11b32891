import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** An app that fails as its first argument says. */
public final class Misbehaving {
    public static void main(String[] arguments) throws Exception {
        System.out.println("misbehaving: " + arguments[0]);
        if (arguments[0].equals("exits")) {
            System.err.println("no database at db.example");
            System.exit(3);
        }
        if (arguments[0].equals("never-ready")) {
            Thread.sleep(Long.MAX_VALUE);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            if (arguments[0].equals("writes")) {
                try {
                    Files.writeString(Path.of("/app/written"), "only where the root file system can be written");
                } catch (IOException failure) {
                    System.out.println(failure);
                    throw failure;
                }
            }
            boolean isFailing = exchange.getRequestURI().getPath().equals("/fails");
            if (isFailing && arguments[0].equals("dies-in-warm-up")) {
                Runtime.getRuntime().halt(4);
            }
            exchange.sendResponseHeaders(isFailing ? 500 : 200, -1);
            exchange.close();
        });
        server.start();
    }
}
