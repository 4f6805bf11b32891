import com.sun.net.httpserver.HttpServer;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Holds files and sockets open, and does with them what requests ask for: /verb/name?argument. */
public class OpenApp {
  static final Map<String, Object> open = new ConcurrentHashMap<>();
  static final Map<String, String> heard = new ConcurrentHashMap<>();

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
    server.createContext("/", exchange -> {
      String[] path = exchange.getRequestURI().getPath().split("/");
      String argument = exchange.getRequestURI().getQuery();
      String answer;
      try {
        answer = act(path[1], path.length > 2 ? path[2] : "", argument);
      } catch (Exception failure) {
        answer = failure.toString();
      }
      byte[] bytes = answer.getBytes();
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
    server.start();
  }

  static String act(String verb, String name, String argument) throws Exception {
    switch (verb) {
      case "append": open.put(name, new FileOutputStream(argument, true)); return "opened";
      case "both": open.put(name, new RandomAccessFile(argument, "rw")); return "opened";
      case "listen": open.put(name, new ServerSocket(0)); return "" + ((ServerSocket) open.get(name)).getLocalPort();
      case "accept": listen(name, ((ServerSocket) open.get(argument)).accept()); return "accepted";
      case "connect": listen(name, connect(Integer.parseInt(argument))); return "connected";
      case "datagrams": open.put(name, new DatagramSocket(0)); return "" + ((DatagramSocket) open.get(name)).getLocalPort();
      case "receive": return receive((DatagramSocket) open.get(name));
      case "unix": open.put(name, listenAt(argument)); return "listening";
      case "acceptUnix": return acceptAt((ServerSocketChannel) open.get(name), argument);
      case "write": ((FileOutputStream) open.get(name)).write((argument + "\n").getBytes()); return "written";
      case "overwrite": ((RandomAccessFile) open.get(name)).write(argument.getBytes()); return "written";
      case "send": ((Socket) open.get(name)).getOutputStream().write(argument.getBytes()); return "sent";
      case "heard": return heard.getOrDefault(name, "nothing");
      default: return "ready";
    }
  }

  static String receive(DatagramSocket socket) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[100], 100);
    socket.receive(packet);
    return new String(packet.getData(), 0, packet.getLength());
  }

  static ServerSocketChannel listenAt(String path) throws IOException {
    return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
  }

  /** Connects to itself; the address that the other end sees. */
  static String acceptAt(ServerSocketChannel listener, String path) throws IOException {
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return client.getRemoteAddress() + " " + listener.accept().getLocalAddress();
    }
  }

  static Socket connect(int port) throws IOException {
    return new Socket("127.0.0.1", port);
  }

  /** What comes from the socket first: a number, -1 for its end, or an exception. */
  static void listen(String name, Socket socket) {
    open.put(name, socket);
    startReader(() -> {
      try {
        heard.put(name, "" + socket.getInputStream().read());
      } catch (IOException failure) {
        heard.put(name, failure.toString());
      }
    });
  }

  /** Virtual where there are such threads: from JDK 22 on their pollers are epolls that watch epolls. */
  static void startReader(Runnable task) {
    try {
      Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
    } catch (ReflectiveOperationException older) {
      Thread reader = new Thread(task);
      reader.setDaemon(true);
      reader.start();
    }
  }
}
