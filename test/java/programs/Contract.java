import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** One sentence of the API's contract a run; says on stdout what happened. */
public class Contract {
    private static final List<Object> KEPT = new ArrayList<>();

    interface Act {
        void run() throws Exception;
    }

    static final Act NOTHING = () -> {
    };

    static Resource resource(String name, Act before, Act after) {
        Resource made = new Resource() {
            @Override
            public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
                System.out.println("before " + name);
                before.run();
            }

            @Override
            public void afterRestore(Context<? extends Resource> context) throws Exception {
                System.out.println("after " + name);
                after.run();
            }
        };
        KEPT.add(made);
        return made;
    }

    static Resource resource(String name) {
        return resource(name, NOTHING, NOTHING);
    }

    /** A context as a framework writes one: in order of registration, the first exception ends it. */
    static class Nested extends Context<Resource> {
        private final List<Resource> resources = new ArrayList<>();

        @Override
        public void register(Resource resource) {
            resources.add(resource);
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
            System.out.println("before nested in global: " + (context == Core.getGlobalContext()));
            CheckpointException all = new CheckpointException();
            for (Resource each : resources) {
                try {
                    each.beforeCheckpoint(this);
                } catch (Exception failed) {
                    all.addSuppressed(failed);
                }
            }
            if (all.getSuppressed().length > 0) {
                throw all;
            }
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws RestoreException {
            System.out.println("after nested");
            RestoreException all = new RestoreException();
            for (Resource each : resources) {
                try {
                    each.afterRestore(this);
                } catch (Exception failed) {
                    all.addSuppressed(failed);
                }
            }
            if (all.getSuppressed().length > 0) {
                throw all;
            }
        }
    }

    static void register(Resource resource) {
        Core.getGlobalContext().register(resource);
    }

    static Nested nested(Resource... resources) {
        Nested nested = new Nested();
        KEPT.add(nested);
        for (Resource each : resources) {
            nested.register(each);
        }
        return nested;
    }

    static Act fail(Exception exception) {
        return () -> {
            throw exception;
        };
    }

    static void checkpoint() {
        try {
            Core.checkpointRestore();
            System.out.println("returned");
        } catch (CheckpointException | RestoreException | RuntimeException | Error thrown) {
            System.out.println(thrown.getClass().getName() + ": " + thrown.getMessage());
            for (Throwable each : thrown.getSuppressed()) {
                System.out.println("  " + each.getClass().getName() + ": " + each.getMessage());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "order":
                register(resource("a"));
                register(nested(resource("c"), resource("d")));
                register(resource("b"));
                checkpoint();
                break;
            case "again": {
                Resource a = resource("a");
                register(a);
                register(resource("b"));
                register(a);
                checkpoint();
                break;
            }
            case "failures":
                register(resource("a", fail(new IOException("a before")), fail(new IOException("a after"))));
                register(nested(resource("c", fail(new IllegalArgumentException("c before")), NOTHING),
                        resource("d", fail(new IOException("d before")), fail(new IOException("d after")))));
                register(resource("b", fail(new InterruptedException("b before")), NOTHING));
                checkpoint();
                System.out.println("interrupted: " + Thread.interrupted());
                break;
            case "message":
                register(resource("a", fail(new CheckpointException("in one sentence")), NOTHING));
                checkpoint();
                break;
            case "error":
                register(resource("a"));
                register(resource("b", () -> {
                    throw new AssertionError("b");
                }, NOTHING));
                register(resource("c", fail(new IOException("c before")), NOTHING));
                checkpoint();
                checkpoint();
                break;
            case "weak": {
                register(resource("kept"));
                WeakReference<Object> forgotten = new WeakReference<>(resource("forgotten"));
                register((Resource) forgotten.get());
                KEPT.remove(forgotten.get());
                while (forgotten.get() != null) {
                    System.gc();
                }
                checkpoint();
                break;
            }
            case "between": {
                // nobody but the notification holds it between the phases
                register(resource("a", () -> {
                    KEPT.clear();
                    System.gc();
                }, NOTHING));
                checkpoint();
                break;
            }
            case "registering": {
                Act registerElsewhere = () -> {
                    Thread other = new Thread(() -> register(resource("late")));
                    other.start();
                    other.join();
                };
                boolean[] done = new boolean[1];
                register(resource("a", () -> {
                    if (!done[0]) {
                        done[0] = true;
                        registerElsewhere.run();
                    }
                }, NOTHING));
                register(resource("b"));
                checkpoint();
                checkpoint();
                break;
            }
            case "second":
                register(resource("a", () -> {
                    Thread other = new Thread(Contract::checkpoint);
                    other.start();
                    other.join();
                }, NOTHING));
                checkpoint();
                break;
            case "plain":
                register(resource("a"));
                checkpoint();
                break;
            default:
                throw new IllegalArgumentException(args[0]);
        }
    }
}
