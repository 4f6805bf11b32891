import com.sun.net.httpserver.HttpServer;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes files of every kind at its start, holds some of them, and tells what it finds of them. `bytes`: how large one of its own is. */
class Writing {
    static RandomAccessFile open;
    static MappedByteBuffer mapped;

    public static void main(String[] arguments) throws Exception {
        String temporary = System.getProperty("java.io.tmpdir");
        write("/app/data/own", Integer.getInteger("bytes", 10));
        write("/app/.cache/thumbnails/1", 20);
        write("/app/.attach_pid99", 0);
        write("/tmp/hsperfdata_app/99", 30);
        write("/tmp/upload.tmp", 40);
        write(temporary + "/scratch.tmp", 50);
        write(temporary + "/kept/certificate", 60);
        write(temporary + "/tomcat.8080.1/work/page.class", 70);
        write(temporary + "/store/segment", 80);
        write(temporary + "/store/beside", 90);
        write(temporary + "/mapped", 100);
        Files.createDirectories(Path.of(temporary, "uploads"));
        open = new RandomAccessFile(temporary + "/store/segment", "r");
        try (FileChannel channel = FileChannel.open(Path.of(temporary, "mapped"), StandardOpenOption.READ)) {
            mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 100);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] answer;
            if (exchange.getRequestURI().getPath().equals("/held")) {
                open.seek(0);
                answer = ("" + (char) open.read() + (char) mapped.get(99)).getBytes();
            } else {
                answer = String.valueOf(Files.exists(Path.of(exchange.getRequestURI().getPath()))).getBytes();
            }
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }

    static void write(String path, int bytes) throws Exception {
        try {
            Files.createDirectories(Path.of(path).getParent());
            Files.writeString(Path.of(path), "x".repeat(bytes));
        } catch (FileSystemException readOnly) {
            System.out.println("as it was in the image: " + path);
        }
    }
}
