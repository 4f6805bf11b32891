package jdk.crac.impl;

import java.util.ArrayList;
import java.util.List;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** One checkpoint from the request to the end of afterRestore, in the thread that asked for it. */
public final class Checkpoint {
    public static final Context<Resource> CONTEXT = new OrderedContext();

    /** A JIT that never rests must not stop the checkpoint. */
    private static final int COMPILERS_LIMIT_MS = 30_000;
    private static final int CLIENT_LIMIT_SECONDS = 60;

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
            refusal.addSuppressed(new IllegalStateException("another checkpoint is running"));
            tell(known, refusal);
            throw refusal;
        }
        Client client = known;
        try {
            Steps steps = new Steps();
            try {
                CONTEXT.beforeCheckpoint(null);
                steps.done("beforeCheckpoint");
                if (client == null) {
                    client = awaitClient();
                    steps.done("client");
                }
                takeDump(client, steps);
            } catch (CheckpointException | RuntimeException | Error refusal) {
                goOn(refusal);
                tell(client == null ? Control.takeWaiting() : client, refusal);
                throw refusal;
            }
            CONTEXT.afterRestore(null);
        } finally {
            Control.end();
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
        if (obstacle != null) {
            CheckpointException refusal = new CheckpointException(obstacle);
            tell(client, refusal);
            throw refusal;
        }
    }

    private static Client awaitClient() throws CheckpointException {
        int limitSeconds = clientLimitSeconds();
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

    private static int clientLimitSeconds() {
        String text = System.getenv("CRAC_CHECKPOINT_TIMEOUT");
        try {
            return text == null ? CLIENT_LIMIT_SECONDS : Integer.parseInt(text);
        } catch (NumberFormatException notANumber) {
            return CLIENT_LIMIT_SECONDS;
        }
    }

    /** Returns in the restored process. */
    private static void takeDump(Client client, Steps steps) throws CheckpointException {
        Native.awaitIdleCompilers(COMPILERS_LIMIT_MS);
        steps.done("jitIdle");
        // HotSpot's cleaner frees the compilers' arena chunks within 5 s
        settle(client.settleMs);
        steps.done("settle");
        long droppedBytes = Native.collectAndDropFreeHeap();
        steps.done("gc");
        Native.trimMalloc();
        steps.done("trim");

        long mailbox = Native.publishMailbox();
        String ready = "{\"pid\":" + Native.processId()
                + ",\"mailbox\":{\"address\":" + Json.address(mailbox)
                + ",\"sizeBytes\":" + Native.mailboxBytes()
                + ",\"nonce\":" + Json.address(Native.mailboxNonce(mailbox))
                + "},\"nanoOffset\":" + Json.address(Native.nanoOffsetAddress())
                + ",\"javaVersion\":" + Json.quote(System.getProperty("java.version"))
                + ",\"gc\":" + Json.quote(Native.collector())
                + ",\"stepsMs\":" + steps.toJson()
                + ",\"droppedBytes\":" + droppedBytes + "}";
        Native.closeChannel();
        boolean restored = false;
        boolean told = client.reply(ready);
        try {
            restored = told && Native.awaitRestore(mailbox);
            if (restored) {
                Control.restored();
                Restored.takeOver(mailbox);
            }
        } finally {
            Native.removeMailbox(mailbox);
            Native.openChannel();
        }
        if (!told) {
            throw new CheckpointException("the client that asked for the checkpoint has gone");
        }
        if (!restored) {
            throw new CheckpointException("no checkpoint was taken: the dump failed or was given up");
        }
    }

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

    /** No checkpoint: the resources are told to go on, and what they throw joins the refusal. */
    private static void goOn(Throwable refusal) {
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
        List<String> details = new ArrayList<>();
        for (Throwable each : refusal.getSuppressed()) {
            StackTraceElement[] trace = each.getStackTrace();
            details.add(trace.length == 0 ? each.toString() : each + " at " + trace[0]);
        }
        String message = refusal.getMessage();
        if (!(refusal instanceof CheckpointException)) {
            message = refusal.toString();
        } else if (message == null) {
            message = "the app refused the checkpoint";
        }
        client.reply(Json.error(message, details));
    }
}
