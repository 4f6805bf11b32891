package plainhttp;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A resource of the class path, a file held open for reading since the start, and a file written by request. */
final class Files {
    private final Path written = Path.of(System.getProperty("java.io.tmpdir"), "plain-http.txt");
    private final RandomAccessFile held;

    Files() throws IOException {
        held = new RandomAccessFile("/etc/passwd", "r");
        held.readLine();
    }

    /** POST writes the body to a file; GET tells all three. */
    synchronized String file(Query query) throws IOException {
        if (query.method.equals("POST")) {
            java.nio.file.Files.writeString(written, query.body);
        }
        return Json.object(
                "resource", resource("/greeting.txt"),
                "heldAt", held.getFilePointer(),
                "heldLength", held.length(),
                "written", java.nio.file.Files.exists(written) ? java.nio.file.Files.readString(written) : null);
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Files.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }
}
