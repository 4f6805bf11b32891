package coordination;

import java.util.HashSet;
import java.util.Set;
import jdk.crac.Context;
import jdk.crac.Resource;

/** Active: keeps the checkpoint waiting until what has begun is finished. The gate sees to it that nothing new begins. */
final class Transfers implements Resource {
    private final Set<String> running = new HashSet<>();

    synchronized void begin(String name) {
        running.add(name);
    }

    synchronized void end(String name) {
        running.remove(name);
        notifyAll();
    }

    /** The wait can be interrupted, so that CRAC_RESOURCE_TIMEOUT can end it. */
    @Override
    public synchronized void beforeCheckpoint(Context<? extends Resource> context) throws InterruptedException {
        while (!running.isEmpty()) {
            System.out.println("the checkpoint waits for " + running);
            wait();
        }
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        // nothing was let go
    }
}
