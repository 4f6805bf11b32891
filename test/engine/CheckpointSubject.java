import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers with a number that grows, after having written, changed and removed files. */
public class CheckpointSubject {
  public static void main(String[] args) throws IOException {
    Path made = Files.createDirectories(Path.of("/tmp/made/many"));
    for (int i = 0; i < 30; i++) Files.writeString(made.resolve("file" + i), "content " + i);
    Files.setLastModifiedTime(made.resolve("file0"), FileTime.fromMillis(1_500_000_000_000L));
    Files.createSymbolicLink(made.resolve("link"), Path.of("file1"));
    Files.createLink(made.resolve("second"), made.resolve("file2"));
    ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(made.resolve("socket")));
    var count = new AtomicInteger();
    var server = HttpServer.create(new InetSocketAddress(8080), 0);
    server.createContext("/", exchange -> {
      byte[] body = Integer.toString(count.incrementAndGet()).getBytes();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
