package coordination;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jdk.crac.Context;
import jdk.crac.Resource;

/**
 * Active: a stand-in takes the place of the socket, so that nobody has to wait. What is counted meanwhile is sent when the
 * socket is back.
 */
final class Metrics implements Resource {
    private interface Sink extends AutoCloseable {
        void count(String name) throws IOException;

        @Override
        void close();
    }

    private static final class UdpSink implements Sink {
        private final int port = Integer.parseInt(System.getenv().getOrDefault("METRICS", "8125"));
        private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());

        UdpSink() throws IOException {
        }

        @Override
        public void count(String name) throws IOException {
            byte[] bytes = (name + ":1|c").getBytes(StandardCharsets.UTF_8);
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    private static final class StandIn implements Sink {
        private final List<String> counted = new ArrayList<>();

        @Override
        public void count(String name) {
            counted.add(name);
        }

        @Override
        public void close() {
            // holds nothing
        }
    }

    private Sink sink = new UdpSink();

    Metrics() throws IOException {
    }

    synchronized void count(String name) throws IOException {
        sink.count(name);
    }

    @Override
    public synchronized void beforeCheckpoint(Context<? extends Resource> context) {
        sink.close();
        sink = new StandIn();
    }

    /** When there is no new socket, the stand-in stays: the app goes on without metrics, and somebody is told. */
    @Override
    public synchronized void afterRestore(Context<? extends Resource> context) throws IOException {
        if (sink instanceof StandIn standIn) {
            sink = new UdpSink();
            for (String name : standIn.counted) {
                sink.count(name);
            }
        }
    }
}
