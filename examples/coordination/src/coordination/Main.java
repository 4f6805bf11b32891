package coordination;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;
import jdk.crac.Core;
import jdk.crac.Resource;

/** Ways to agree with a checkpoint. Each line of stdin is a piece of work, done in a thread of its own. */
public final class Main {
    private final Gate gate = new Gate();
    private final Journal journal = new Journal();
    private final Transfers transfers = new Transfers();
    private final Migration migration = new Migration();
    private final Metrics metrics = new Metrics();
    /** In this order: beforeCheckpoint is called from the last to the first, afterRestore from the first to the last. */
    private final List<Resource> resources = List.of(metrics, journal, transfers, migration, gate);

    private Main() throws Exception {
        resources.forEach(Core.getGlobalContext()::register);
    }

    private void work(String line) {
        try {
            String[] words = line.split(" ", 2);
            switch (words[0]) {
                case "write" -> gate.pass(() -> {
                    journal.write(words[1]);
                    return null;
                });
                case "begin-transfer" -> gate.pass(() -> {
                    transfers.begin(words[1]);
                    return null;
                });
                case "end-transfer" -> transfers.end(words[1]);
                case "begin-migration" -> migration.begin(words[1]);
                case "end-migration" -> migration.end();
                case "count" -> metrics.count(words[1]);
                default -> throw new IllegalArgumentException("what is that?");
            }
            System.out.println("done: " + line);
        } catch (Exception failure) {
            System.out.println("failed: " + line + ": " + failure);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Main main = new Main();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String order = line;
            new Thread(() -> main.work(order), order).start();
        }
    }
}
