package jdk.crac.impl;

import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import jdk.crac.CheckpointException;
import jdk.crac.Context;
import jdk.crac.Resource;
import jdk.crac.RestoreException;

/**
 * Notifies before a checkpoint in reverse order of registration and after a restore in order of registration.
 * The lock is never held while a resource runs, so resources may register others; those are not notified this time.
 */
final class OrderedContext extends Context<Resource> {
    private final List<WeakReference<Resource>> registered = new ArrayList<>();
    /** Between the phases: those that have been told of the checkpoint, held strongly, in order of registration. */
    private Deque<Resource> notified = new ArrayDeque<>();

    /** Registering again moves the resource to the end. */
    @Override
    public void register(Resource resource) {
        Objects.requireNonNull(resource, "resource");
        synchronized (registered) {
            for (Iterator<WeakReference<Resource>> each = registered.iterator(); each.hasNext();) {
                Resource known = each.next().get();
                if (known == null || known == resource) {
                    each.remove();
                }
            }
            registered.add(new WeakReference<>(resource));
        }
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) throws CheckpointException {
        try (Watch watch = new Watch(late -> {
        })) {
            notifyBefore(watch);
        }
    }

    void notifyBefore(Watch watch) throws CheckpointException {
        Problems problems = new Problems(CheckpointException.class);
        List<Resource> all = alive();
        for (int i = all.size() - 1; i >= 0 && !watch.isAbandoned(); i--) {
            Resource resource = all.get(i);
            Throwable thrown = null;
            watch.enter(resource);
            try {
                resource.beforeCheckpoint(this);
            } catch (Throwable any) {
                thrown = any;
            }
            TimeoutException late = watch.leave();
            if (late != null) {
                if (thrown != null) {
                    late.addSuppressed(thrown);
                }
                thrown = late;
            }
            if (thrown != null) {
                problems.add(thrown);
            }
            if (watch.isAbandoned()) { // the others have been told meanwhile
                notifyAfter(List.of(resource), problems);
            } else {
                notified.addFirst(resource);
            }
        }
        problems.throwAs(new CheckpointException());
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) throws RestoreException {
        Problems problems = new Problems(RestoreException.class);
        Deque<Resource> all = notified;
        notified = new ArrayDeque<>();
        notifyAfter(all, problems);
        problems.throwAs(new RestoreException());
    }

    private void notifyAfter(Collection<Resource> resources, Problems problems) {
        if (resources.isEmpty()) {
            return;
        }
        try (Lookout lookout = new Lookout()) {
            for (Resource resource : resources) {
                lookout.enter(resource);
                try {
                    resource.afterRestore(this);
                } catch (Throwable thrown) {
                    problems.add(thrown);
                }
            }
        }
    }

    private List<Resource> alive() {
        List<Resource> all = new ArrayList<>();
        synchronized (registered) {
            for (WeakReference<Resource> each : registered) {
                Resource resource = each.get();
                if (resource != null) {
                    all.add(resource);
                }
            }
        }
        return all;
    }
}
