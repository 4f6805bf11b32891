import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.net.httpserver.HttpServer;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCounted;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.Provider;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.conscrypt.Conscrypt;

/** `LibrariesApp PORT DATABASE`: GET / uses each library once more and tells what came out. */
public final class LibrariesApp {
  /** What a library still has in its hands from one use to the next. */
  private interface Use {
    String once() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    Use[] uses = {nettyEpoll(), nettySsl(), conscrypt(), random(), jna(), sqlite(args[1])};
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
    server.createContext("/", exchange -> {
      var answer = new StringBuilder();
      for (Use use : uses) {
        try {
          answer.append(use.once()).append('\n');
        } catch (Exception | LinkageError problem) {
          answer.append(problem).append('\n');
        }
      }
      exchange.sendResponseHeaders(200, 0);
      try (var body = exchange.getResponseBody()) {
        body.write(answer.toString().getBytes());
      }
    });
    server.start();
  }

  @Sharable
  private static final class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.writeAndFlush(message);
    }
  }

  /** Sockets, epoll, eventfd and timerfd of its own. */
  private static Use nettyEpoll() throws Exception {
    var group = new EpollEventLoopGroup(2);
    var bootstrap = new ServerBootstrap().group(group).channel(EpollServerSocketChannel.class).childHandler(new Echo());
    var address = (InetSocketAddress) bootstrap.bind("127.0.0.1", 0).sync().channel().localAddress();
    return () -> {
      try (var socket = new Socket(address.getAddress(), address.getPort())) {
        socket.getOutputStream().write("echo".getBytes());
        String echo = new String(socket.getInputStream().readNBytes(4));
        return "netty " + echo + group.schedule(() -> " later", 20, TimeUnit.MILLISECONDS).get();
      }
    };
  }

  private static Use nettySsl() throws Exception {
    SslContext context = SslContextBuilder.forClient().sslProvider(SslProvider.OPENSSL).build();
    return () -> {
      var engine = context.newEngine(ByteBufAllocator.DEFAULT);
      try {
        engine.beginHandshake();
        var hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        return "tcnative " + (engine.wrap(ByteBuffer.allocate(0), hello).bytesProduced() > 100);
      } finally {
        ((ReferenceCounted) engine).release();
      }
    };
  }

  private static Use conscrypt() {
    Provider provider = Conscrypt.newProvider();
    return () -> {
      byte[] digest = MessageDigest.getInstance("SHA-256", provider).digest("x".getBytes());
      return "conscrypt " + HexFormat.of().formatHex(digest, 0, 4);
    };
  }

  private static Use random() throws Exception {
    var random = SecureRandom.getInstance("SHA1PRNG", Conscrypt.newProvider());
    return () -> {
      byte[] bytes = new byte[16];
      random.nextBytes(bytes);
      return "random " + HexFormat.of().formatHex(bytes);
    };
  }

  /** The C library's, which calls back into Java. */
  public interface Sort extends Library {
    interface Order extends Callback {
      int compare(Pointer a, Pointer b);
    }

    void qsort(Memory values, long count, long bytes, Order order);
  }

  private static Use jna() {
    Sort library = Native.load("c", Sort.class);
    return () -> {
      Sort.Order order = (a, b) -> Integer.compare(a.getInt(0), b.getInt(0)); // a new closure each time
      var values = new Memory(12);
      values.write(0, new int[] {3, 1, 2}, 0, 3);
      library.qsort(values, 3, 4, order);
      return "jna " + values.getInt(0) + values.getInt(4) + values.getInt(8);
    };
  }

  private static Use sqlite(String file) throws Exception {
    Connection database = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (var statement = database.createStatement()) {
      statement.execute("create table visits (at integer)");
    }
    return () -> {
      try (var statement = database.createStatement()) {
        statement.execute("insert into visits values (1)");
        return "sqlite " + statement.executeQuery("select count(*) from visits").getInt(1);
      }
    };
  }
}
