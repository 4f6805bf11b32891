package jdk.crac.impl;

import java.util.concurrent.TimeoutException;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** One checkpoint from the request to the end of afterRestore, in the thread that asked for it. */
public final class Checkpoint {
    private static final OrderedContext ORDERED = new OrderedContext();
    public static final Context<Resource> CONTEXT = ORDERED;

    /** A JIT that never rests must not stop the checkpoint. */
    private static final int COMPILERS_LIMIT_MS = 30_000;
    /** How long the app waits for somebody to come, and then to dump it. */
    private static final int CLIENT_LIMIT_SECONDS = 60;
    private static final int DUMP_LIMIT_SECONDS_AT_LEAST = 10;

    private Checkpoint() {
    }

    /** The app asks. */
    public static void request() throws CheckpointException, RestoreException {
        run(null);
    }

    /** @param known who takes the dump, or null when the app asked and a client is still to come */
    static void run(Client known) throws CheckpointException, RestoreException {
        refuseUnlessPossible(known);
        if (!Control.begin(known)) {
            CheckpointException refusal = new CheckpointException();
            refusal.addSuppressed(new IllegalStateException(Control.whatIsRunning()));
            tell(known, refusal);
            throw refusal;
        }
        Client client = known;
        Client refused = null;
        Throwable reason = null;
        try {
            Steps steps = new Steps();
            try {
                Renewal.begin();
                CheckpointException failures = null;
                try (Watch watch = new Watch(late -> giveUp(known, late))) {
                    ORDERED.notifyBefore(watch);
                } catch (CheckpointException failed) {
                    failures = failed;
                }
                OpenResources.refuse(failures);
                steps.done("beforeCheckpoint");
                if (client == null) {
                    client = awaitClient();
                    steps.done("client");
                }
                takeDump(client, steps);
            } catch (CheckpointException | RuntimeException | Error refusal) {
                goOn(refusal);
                Control.ended("not taken", refusal);
                refused = client == null ? Control.takeWaiting() : client;
                reason = refusal;
                throw refusal;
            }
            try {
                CONTEXT.afterRestore(null);
                Control.ended("restored", null);
            } catch (RestoreException | RuntimeException | Error failed) {
                Control.ended("restored", failed);
                throw failed;
            } finally {
                Processors.adapt();
            }
        } finally {
            Control.end();
            // after the end, so that whoever is told can ask again at once
            if (reason != null) {
                tell(refused, reason);
            }
        }
    }

    private static void refuseUnlessPossible(Client client) throws CheckpointException {
        String obstacle;
        try {
            obstacle = Native.obstacle();
        } catch (UnsatisfiedLinkError noAgent) {
            throw new UnsupportedOperationException("this JVM was started without libcrac.so");
        }
        if ("off".equals(obstacle)) {
            UnsupportedOperationException off =
                    new UnsupportedOperationException("this JVM was not started for a checkpoint");
            tell(client, off);
            throw off;
        }
        if (obstacle == null && Native.collector().equals("Z")) {
            obstacle = "this JVM runs with ZGC, which keeps its heap in shared memory: no restore can bring that back. "
                    + "Use -XX:+UseG1GC, -XX:+UseParallelGC or -XX:+UseSerialGC";
        }
        if (obstacle != null) {
            CheckpointException refusal = new CheckpointException(obstacle);
            tell(client, refusal);
            throw refusal;
        }
    }

    private static Client awaitClient() throws CheckpointException {
        int limitSeconds = Settings.seconds("CRAC_CHECKPOINT_TIMEOUT", CLIENT_LIMIT_SECONDS);
        Client client;
        try {
            client = Control.awaitClient(limitSeconds * 1000L);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            CheckpointException refusal = new CheckpointException("interrupted while waiting for the checkpoint");
            refusal.addSuppressed(interrupted);
            throw refusal;
        }
        if (client == null) {
            throw new CheckpointException("nobody came to take the checkpoint within " + limitSeconds
                    + " s (CRAC_CHECKPOINT_TIMEOUT); `ctl checkpoint` takes it");
        }
        return client;
    }

    /** Returns in the restored process. */
    private static void takeDump(Client client, Steps steps) throws CheckpointException {
        Renewal.rehearse();
        steps.skip(client.skipped);
        if (steps.includes("jit-idle")) {
            boolean rest = Native.awaitIdleCompilers(COMPILERS_LIMIT_MS);
            steps.done("jit-idle", rest ? null : "they did not within " + COMPILERS_LIMIT_MS / 1000 + " s");
        }
        if (steps.includes("collect")) {
            Native.collect();
            steps.done("collect");
        }
        if (steps.includes("arenas")) {
            // HotSpot's cleaner frees the compilers' arena chunks within 5 s
            settle(client.settleMs);
            steps.done("arenas");
        }
        String resources = OpenResources.decide();
        steps.done("resources");
        String classes = collect(steps);
        if (steps.includes("trim")) {
            boolean trimmed = Native.trimMalloc();
            steps.done("trim", trimmed ? null : "this C library has no malloc_trim");
        }

        long mailbox = Native.publishMailbox();
        String ready = "{\"pid\":" + Native.processId()
                + ",\"mailbox\":{\"address\":" + Json.address(mailbox)
                + ",\"sizeBytes\":" + Native.mailboxBytes()
                + ",\"nonce\":" + Json.address(Native.mailboxNonce(mailbox))
                + "},\"nanoOffset\":" + Json.address(Native.nanoOffsetAddress())
                + ",\"javaVersion\":" + Json.quote(System.getProperty("java.version"))
                + ",\"gc\":" + Json.quote(Native.collector())
                + ",\"steps\":" + steps.toJson()
                + ",\"classes\":" + classes
                + ",\"maxHeapBytes\":" + Renewal.maxHeapBytes()
                + ",\"heap\":" + heapRange()
                + ",\"jvmMemory\":" + jvmMemory()
                + ",\"cpu\":" + Native.cpuFeatures()
                + ",\"resources\":" + resources + "}";
        Native.closeChannel();
        int limitSeconds = Math.max(DUMP_LIMIT_SECONDS_AT_LEAST,
                Settings.seconds("CRAC_CHECKPOINT_TIMEOUT", CLIENT_LIMIT_SECONDS));
        int end = Native.CLIENT_GONE;
        try {
            if (client.reply(ready)) {
                end = Native.awaitRestore(mailbox, limitSeconds * 1000);
            }
            if (end == Native.RESTORED) {
                Control.restored();
                Renewal.finish();
            }
        } finally {
            Native.removeMailbox(mailbox);
            Native.openChannel();
        }
        if (end == Native.CLIENT_GONE) {
            throw new CheckpointException("the client that asked for the checkpoint has gone");
        }
        if (end == Native.NOBODY_DUMPED) {
            throw new CheckpointException("nobody dumped the process within " + limitSeconds
                    + " s (CRAC_CHECKPOINT_TIMEOUT)");
        }
        if (end != Native.RESTORED) {
            throw new CheckpointException("no checkpoint was taken: the dump failed or was given up");
        }
    }

    /**
     * The second collection. The free heap is dropped while it has stopped the JVM: without one it is not, and what lives
     * is not known.
     *
     * @return JSON: which classes take most of the heap, or null
     */
    private static String collect(Steps steps) {
        boolean collects = steps.includes("collect");
        // now there is little garbage to look at, and its own will go
        Native.findGenerators();
        steps.done("generators");
        String classes = "null";
        if (collects && steps.includes("histogram")) {
            classes = Histogram.toJson(Native.classHistogram());
            steps.done("histogram", classes.equals("null") ? "this JVM does not tell of its classes" : null);
        }
        if (collects && steps.includes("free-heap")) {
            long[] told = new long[2];
            String obstacle = Native.collectAndDropFreeHeap(told);
            steps.done("collect");
            steps.doneWithin("collect", "free-heap", told[1], told[0], obstacle);
        } else if (collects) {
            Native.collect();
            steps.done("collect");
        }
        Native.passCodeBarriers();
        steps.done("compiled-code");
        return classes;
    }

    /** JSON: where the heap is reserved, or null. */
    private static native String heapRange();

    /** JSON: where code and class metadata are. */
    private static native String jvmMemory();

    private static void settle(int settleMs) throws CheckpointException {
        try {
            Thread.sleep(settleMs);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            CheckpointException refusal = new CheckpointException("interrupted while preparing the checkpoint");
            refusal.addSuppressed(interrupted);
            throw refusal;
        }
    }

    /** A resource hangs, and with it the thread that notifies: the others are told here that they can go on. */
    private static void giveUp(Client known, TimeoutException late) {
        System.err.println("crac: warning: " + late.getMessage() + " and does not let itself be interrupted: "
                + "the checkpoint is given up");
        CheckpointException refusal = new CheckpointException();
        refusal.addSuppressed(late);
        goOn(refusal);
        Control.hangs(late.getMessage());
        Control.ended("not taken", refusal);
        tell(known == null ? Control.takeWaiting() : known, refusal);
    }

    /** No checkpoint: the resources are told to go on, and what they throw joins the refusal. */
    private static void goOn(Throwable refusal) {
        Renewal.giveUp();
        try {
            CONTEXT.afterRestore(null);
        } catch (RestoreException failed) {
            for (Throwable each : failed.getSuppressed()) {
                refusal.addSuppressed(each);
            }
        } catch (Error error) {
            refusal.addSuppressed(error);
        }
    }

    private static void tell(Client client, Throwable refusal) {
        if (client == null) {
            return;
        }
        client.reply(Refusal.render(refusal));
    }
}
