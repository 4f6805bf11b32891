package jdk.crac.impl;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ForkJoinPool;

/**
 * Another container may have another number of processors. Runtime.availableProcessors() sees it by itself; pools that were
 * sized by it are told, where the JDK can be told (from 19 on).
 */
final class Processors {
    private static int before;

    private Processors() {
    }

    static void remember() {
        Native.open(Object.class.getModule(), "java.lang", Processors.class.getModule());
        before = Runtime.getRuntime().availableProcessors();
    }

    /** Reads files of the control group, so it comes after everything that somebody waits for. */
    static void adapt() {
        int now = Runtime.getRuntime().availableProcessors();
        if (now == before) {
            return;
        }
        try {
            // as ForkJoinPool itself does; a size set by a property stays
            if (System.getProperty("java.util.concurrent.ForkJoinPool.common.parallelism") == null) {
                setParallelism(ForkJoinPool.commonPool(), Math.max(1, now - 1));
            }
            if (System.getProperty("jdk.virtualThreadScheduler.parallelism") == null) {
                setParallelism(virtualThreadScheduler(), now);
            }
        } catch (ReflectiveOperationException | RuntimeException notInThisJdk) {
            // its pools keep their sizes
        }
        if ("debug".equals(System.getenv("CRAC_LOG"))) {
            System.err.println("crac: processors: " + now + " instead of " + before);
        }
    }

    private static Object virtualThreadScheduler() throws ReflectiveOperationException {
        Field scheduler = Class.forName("java.lang.VirtualThread").getDeclaredField("DEFAULT_SCHEDULER");
        scheduler.setAccessible(true);
        return scheduler.get(null);
    }

    private static void setParallelism(Object pool, int size) throws ReflectiveOperationException {
        try {
            ForkJoinPool.class.getMethod("setParallelism", int.class).invoke(pool, size);
        } catch (InvocationTargetException refused) {
            throw new ReflectiveOperationException(refused.getCause());
        }
    }
}
