import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Core;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/** One sentence of the API's contract a scenario; says on stdout what happened. */
public class Contract {
    private static final List<Object> KEPT = new ArrayList<>();
    private static final List<WeakReference<Resource>> MADE = Collections.synchronizedList(new ArrayList<>());

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

    /** Equal to every other one. */
    static class Equal implements Resource {
        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) {
            System.out.println("before");
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
            System.out.println("after");
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Equal;
        }

        @Override
        public int hashCode() {
            return 1;
        }
    }

    static class Counting implements Resource {
        private final AtomicInteger count;

        Counting(AtomicInteger count) {
            this.count = count;
        }

        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) {
            count.incrementAndGet();
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) {
        }
    }

    static void register(Resource resource) {
        MADE.add(new WeakReference<>(resource));
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

    /** Runs one scenario after the other; none sees the resources of those before it. */
    public static void main(String[] args) throws Exception {
        for (String scenario : args) {
            System.out.println("== " + scenario);
            run(scenario);
            Thread.interrupted();
            KEPT.clear();
            while (MADE.stream().anyMatch(each -> each.get() != null)) {
                System.gc();
            }
            MADE.clear();
        }
    }

    private static void run(String scenario) throws Exception {
        switch (scenario) {
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
            case "recursion":
                register(resource("a", Contract::checkpoint, Contract::checkpoint));
                checkpoint();
                break;
            case "contexts": {
                Resource global = new Resource() {
                    @Override
                    public void beforeCheckpoint(Context<? extends Resource> context) {
                        System.out.println("before in " + Thread.currentThread().getName() + ": "
                                + (context == Core.getGlobalContext()));
                    }

                    @Override
                    public void afterRestore(Context<? extends Resource> context) {
                        System.out.println("after in " + Thread.currentThread().getName() + ": "
                                + (context == Core.getGlobalContext()));
                    }
                };
                KEPT.add(global);
                register(global);
                Thread caller = new Thread(Contract::checkpoint, "the caller");
                caller.start();
                caller.join();
                break;
            }
            case "equal":
                for (int i = 0; i < 2; i++) {
                    Resource equal = new Equal();
                    KEPT.add(equal);
                    register(equal);
                }
                checkpoint();
                break;
            case "null":
                try {
                    register(null);
                } catch (NullPointerException refused) {
                    System.out.println(refused.getMessage());
                }
                checkpoint();
                break;
            case "runtime":
                register(resource("a", fail(new IllegalStateException("a before")), fail(new RuntimeException("a after"))));
                checkpoint();
                checkpoint();
                break;
            case "other class": {
                RestoreException foreign = new RestoreException("foreign");
                foreign.addSuppressed(new IOException("stays where it is"));
                register(resource("a", fail(foreign), NOTHING));
                checkpoint();
                break;
            }
            case "deep": {
                CheckpointException inner = new CheckpointException();
                inner.addSuppressed(new IOException("inner 1"));
                inner.addSuppressed(new IOException("inner 2"));
                register(nested(nested(resource("a", fail(inner), NOTHING)), resource("b", fail(new IOException("b")), NOTHING)));
                checkpoint();
                break;
            }
            case "interrupted after":
                register(resource("a", NOTHING, fail(new InterruptedException("a after"))));
                checkpoint();
                System.out.println("interrupted: " + Thread.interrupted());
                break;
            case "error after":
                register(resource("a", NOTHING, () -> {
                    throw new AssertionError("a after");
                }));
                register(resource("b"));
                checkpoint();
                break;
            case "threads": {
                // registering goes on in 8 threads while a checkpoint is on its way; nothing is lost
                Thread[] threads = new Thread[8];
                AtomicInteger notified = new AtomicInteger();
                for (int i = 0; i < threads.length; i++) {
                    threads[i] = new Thread(() -> {
                        for (int n = 0; n < 50; n++) {
                            Resource counting = new Counting(notified);
                            synchronized (KEPT) {
                                KEPT.add(counting);
                            }
                            register(counting);
                        }
                    });
                }
                register(resource("a", () -> {
                    for (Thread each : threads) {
                        if (each.getState() == Thread.State.NEW) {
                            each.start();
                        }
                    }
                }, () -> {
                    for (Thread each : threads) {
                        each.join();
                    }
                }));
                checkpoint();
                notified.set(0);
                checkpoint();
                System.out.println("notified " + notified);
                break;
            }
            case "shape":
                for (String name : new String[] {"Core", "Context", "Resource", "CheckpointException", "RestoreException",
                        "management.CRaCMXBean"}) {
                    Shape.print(Class.forName("jdk.crac." + name));
                }
                break;
            case "plain":
                register(resource("a"));
                checkpoint();
                break;
            default:
                throw new IllegalArgumentException(scenario);
        }
    }
}
