package cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.crac.CheckpointException;
import org.crac.Core;
import org.crac.RestoreException;

/** Counts the words of what it reads. It is warm before it reads anything: the checkpoint is taken in between. */
public final class WordCount {
    private WordCount() {}

    public static void main(String[] arguments) throws RestoreException {
        for (int round = 0; round < 2000; round++) new Counts().add("to be or not to be, that is the question");
        try {
            Core.checkpointRestore();
        } catch (CheckpointException | UnsupportedOperationException e) {
            // A cold start: nobody takes a checkpoint, and the input is read now.
        }
        Counts counts = new Counts();
        try (BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null; line = input.readLine()) counts.add(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.out.print(counts.render());
    }
}
