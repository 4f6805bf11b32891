import java.io.BufferedReader;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** Opens what lines of stdin name, keeps it open, and tells what can still be done with it. */
public class Opener {
    private static final List<Object> KEPT = new ArrayList<>();

    static <T> T keep(T opened) {
        KEPT.add(opened);
        return opened;
    }

    @SuppressWarnings("unchecked")
    static <T> T last(Class<T> type) {
        for (int i = KEPT.size() - 1; i >= 0; i--) {
            if (type.isInstance(KEPT.get(i))) {
                return (T) KEPT.get(i);
            }
        }
        throw new IllegalStateException("nothing open");
    }

    static String open(String what, String argument) throws Exception {
        switch (what) {
            case "append":
                keep(new FileOutputStream(argument, true));
                return argument;
            case "write":
                keep(new FileOutputStream(argument));
                return argument;
            case "both":
                keep(new RandomAccessFile(argument, "rw"));
                return argument;
            case "lock":
                keep(new RandomAccessFile(argument, "rw")).getChannel().lock();
                return argument;
            case "read":
                keep(new FileInputStream(argument));
                return argument;
            case "folder":
                keep(Files.newDirectoryStream(Path.of(argument)));
                return argument;
            case "listen":
                return "" + keep(new ServerSocket(Integer.parseInt(argument), 5, InetAddress.getByName("127.0.0.1")))
                        .getLocalPort();
            case "accept":
                return "" + keep(last(ServerSocket.class).accept()).getPort();
            case "connect":
                return "" + keep(new Socket("127.0.0.1", Integer.parseInt(argument))).getLocalPort();
            case "channel":
                return "" + keep(SocketChannel.open(new java.net.InetSocketAddress("127.0.0.1",
                        Integer.parseInt(argument)))).socket().getLocalPort();
            case "datagram":
                return "" + keep(new DatagramSocket(0, InetAddress.getByName("127.0.0.1"))).getLocalPort();
            case "unix":
                keep(ServerSocketChannel.open(StandardProtocolFamily.UNIX)).bind(UnixDomainSocketAddress.of(argument));
                return argument;
            case "pipe":
                keep(Pipe.open());
                return "pipe";
            case "selector":
                keep(Selector.open()).selectNow();
                return "selector";
            case "watch":
                keep(Path.of(argument).getFileSystem().newWatchService());
                return argument;
            case "random":
                return "" + keep(new java.security.SecureRandom()).nextInt();
            default:
                return use(what, argument);
        }
    }

    static String use(String what, String argument) throws IOException {
        switch (what) {
            case "print": {
                OutputStream out = last(FileOutputStream.class);
                out.write((argument + "\n").getBytes());
                return argument;
            }
            case "next":
                return "" + last(FileInputStream.class).read();
            case "receive":
                last(Socket.class).setSoTimeout(2000);
                return "" + last(Socket.class).getInputStream().read();
            case "close":
                for (Object each : KEPT) {
                    ((Closeable) each).close();
                }
                KEPT.clear();
                return "all";
            default:
                throw new IllegalArgumentException(what);
        }
    }

    static class Failing implements Resource {
        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws IOException {
            throw new IOException("not now");
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
        }
    }

    static void checkpoint() {
        try {
            Core.checkpointRestore();
            System.out.println("restored");
        } catch (CheckpointException | RestoreException refused) {
            for (Throwable each : refused.getSuppressed()) {
                System.out.println(each.getClass().getName() + " < " + each.getClass().getSuperclass().getSimpleName()
                        + " caused by " + each.getCause());
            }
            System.out.println("refused " + refused.getMessage());
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ", 2);
            if (words[0].equals("checkpoint")) {
                checkpoint();
            } else if (words[0].equals("failing")) {
                Core.getGlobalContext().register(keep(new Failing()));
                System.out.println("done failing");
            } else {
                Thread thread = new Thread(() -> {
                    try {
                        System.out.println("done " + words[0] + " " + open(words[0], words.length > 1 ? words[1] : ""));
                    } catch (Exception failed) {
                        System.out.println("done " + words[0] + " " + failed);
                    }
                }, "opener of " + words[0]);
                thread.start();
                thread.join();
            }
        }
    }
}
