package jdk.crac.impl;

import java.util.List;
import jdk.crac.CheckpointException;
import jdk.crac.RestoreException;

/** Brings the requests of the control channel and the checkpoints together. The agent's control thread calls in here. */
final class Control {
    private static final Object LOCK = new Object();
    /** Guarded by LOCK: one checkpoint at a time; it is "awaiting" from its begin until it has a client. */
    private static boolean running;
    private static boolean awaiting;
    private static boolean restored;
    /** Guarded by LOCK: a client that waits for a checkpoint that the app asks for. */
    private static Client waiting;
    /** Guarded by LOCK: what a resource that still hangs is guilty of; how the last checkpoint ended, in JSON. */
    private static String hanging;
    private static String last = "null";

    private Control() {
    }

    /** Called by the control thread; one line for `ctl status`. client: a `ctl checkpoint` waits for the app to ask. */
    static String status() {
        synchronized (LOCK) {
            String state = awaiting ? "waiting" : restored ? "restored" : "running";
            return "{\"state\":" + Json.quote(state) + ",\"pid\":" + Native.processId() + ",\"checkpointing\":" + running
                    + ",\"client\":" + (waiting != null) + ",\"last\":" + last + "}";
        }
    }

    /**
     * Called by the control thread; owns the connection.
     *
     * @param skip names of steps to be left out, with commas between them
     * @param join wait for the app's own request instead of making one
     */
    static void requestCheckpoint(int connection, int settleMs, String skip, boolean join) {
        List<String> skipped = skip.isEmpty() ? List.of() : List.of(skip.split(","));
        Client client = new Client(connection, settleMs, skipped);
        for (String name : skipped) {
            if (!Steps.SKIPPABLE.contains(name)) {
                client.reply(Json.error("there is no step " + name + " to be left out, only "
                        + String.join(", ", Steps.SKIPPABLE), List.of()));
                return;
            }
        }
        synchronized (LOCK) {
            dropGoneClient();
            if (waiting != null || running && !awaiting) {
                client.reply(Json.error(hanging != null ? whatIsRunning() : "another checkpoint is already asked for",
                        List.of()));
                return;
            }
            if (join || awaiting) {
                waiting = client;
                LOCK.notifyAll();
                return;
            }
        }
        // not in the control thread: it must be able to answer though a resource hangs
        Thread thread = new Thread(null, () -> run(client), "crac checkpoint", 0, false);
        thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
        thread.setDaemon(true);
        thread.start();
    }

    private static void run(Client client) {
        try {
            Checkpoint.run(client);
        } catch (CheckpointException refused) {
            // told to the client, or to nobody: a dump that failed after "ready" is known to whoever tried it
        } catch (RestoreException failed) {
            failed.printStackTrace();
        } catch (Throwable unexpected) {
            unexpected.printStackTrace();
        }
    }

    /** A checkpoint begins; false when one is running. */
    static boolean begin(Client client) {
        synchronized (LOCK) {
            if (running) {
                return false;
            }
            running = true;
            awaiting = client == null;
            return true;
        }
    }

    /** The client that joins the running checkpoint, or null when none came in time. */
    static Client awaitClient(long limitMs) throws InterruptedException {
        long deadline = System.nanoTime() + limitMs * 1_000_000;
        synchronized (LOCK) {
            for (dropGoneClient(); waiting == null; dropGoneClient()) {
                long leftMs = (deadline - System.nanoTime()) / 1_000_000;
                if (leftMs <= 0) {
                    return null;
                }
                LOCK.wait(leftMs);
            }
            return takeWaiting();
        }
    }

    /** A client that came while the checkpoint was failing and is to be told; or null. */
    static Client takeWaiting() {
        synchronized (LOCK) {
            Client client = waiting;
            waiting = null;
            awaiting = false;
            return client;
        }
    }

    private static void dropGoneClient() {
        if (waiting != null && waiting.hasGone()) {
            waiting.reply("");
            waiting = null;
        }
    }

    static String whatIsRunning() {
        synchronized (LOCK) {
            return "another checkpoint is running" + (hanging == null ? "" : ": " + hanging);
        }
    }

    static void hangs(String message) {
        synchronized (LOCK) {
            hanging = message;
        }
    }

    /** For `ctl status`. failure: why it was not taken, or what failed after the restore; or null. */
    static void ended(String outcome, Throwable failure) {
        String told = "{\"outcome\":" + Json.quote(outcome)
                + (failure == null ? "}" : "," + Refusal.render(failure).substring(1));
        synchronized (LOCK) {
            last = told;
        }
    }

    static void restored() {
        synchronized (LOCK) {
            restored = true;
        }
    }

    static void end() {
        synchronized (LOCK) {
            running = false;
            awaiting = false;
            hanging = null;
        }
    }
}
