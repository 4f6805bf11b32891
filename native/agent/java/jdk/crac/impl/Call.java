package jdk.crac.impl;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Has a class of the app warm it up from the inside: its `main` without arguments, or its `run` as a Runnable. */
final class Call implements Runnable {
    /** What stands between the class and the thread, and is of no interest to its author. */
    private static final List<String> OWN_FRAMES = List.of("jdk.internal.reflect.", "java.lang.reflect.",
            "java.lang.invoke.", "jdk.crac.impl.Call.", "java.lang.Thread.run");

    private final Client client;
    private final String className;

    private Call(Client client, String className) {
        this.client = client;
        this.className = className;
    }

    /** Called by the control thread; owns the connection. */
    static void start(int connection, String className) {
        // not in the control thread: it must be able to answer meanwhile
        Thread thread = new Thread(null, new Call(new Client(connection, 0, List.of()), className), "crac call", 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void run() {
        client.reply(answer());
    }

    private String answer() {
        long begin = System.nanoTime();
        try {
            Class<?> found = find();
            if (found == null) {
                return Json.error("there is no class " + className + " in the app", List.of());
            }
            Method main = findMain(found);
            if (main != null) {
                main.invoke(null, (Object) new String[0]);
            } else if (Runnable.class.isAssignableFrom(found)) {
                var constructor = found.getDeclaredConstructor();
                constructor.setAccessible(true);
                ((Runnable) constructor.newInstance()).run();
            } else {
                return Json.error("the class " + className + " has no public static void main(String[]), and is no Runnable",
                        List.of());
            }
            return "{\"called\":" + Json.quote(className) + ",\"ms\":" + (System.nanoTime() - begin) / 1_000_000 + "}";
        } catch (InvocationTargetException thrown) {
            return describe(thrown.getCause());
        } catch (Throwable thrown) { // whatever it is, the app goes on
            return describe(thrown);
        }
    }

    /** Null where no class loader has it. The one that has becomes that of this thread, as of the app's own. */
    private Class<?> find() {
        for (ClassLoader loader : loaders()) {
            try {
                Class<?> found = Class.forName(className, false, loader);
                Thread.currentThread().setContextClassLoader(loader);
                return found;
            } catch (ClassNotFoundException notHere) {
                // the next may have it
            }
        }
        return null;
    }

    /** The system's sees nothing of an app in an archive of its own making, such as Spring Boot's: its threads know its loader. */
    private static Set<ClassLoader> loaders() {
        Set<ClassLoader> loaders = new LinkedHashSet<>();
        List<ClassLoader> others = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            ClassLoader loader = thread.getContextClassLoader();
            if (loader != null && thread.getName().equals("main")) {
                loaders.add(loader);
            } else if (loader != null) {
                others.add(loader);
            }
        }
        loaders.add(ClassLoader.getSystemClassLoader());
        loaders.addAll(others);
        return loaders;
    }

    private static Method findMain(Class<?> found) {
        try {
            Method main = found.getMethod("main", String[].class);
            if (!Modifier.isStatic(main.getModifiers()) || main.getReturnType() != void.class) {
                return null;
            }
            main.setAccessible(true);
            return main;
        } catch (NoSuchMethodException none) {
            return null;
        }
    }

    private String describe(Throwable thrown) {
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text, true));
        List<String> details = new ArrayList<>();
        for (String line : text.toString().split("\\R")) {
            String frame = line.strip().replace("at java.base/", "at ");
            if (OWN_FRAMES.stream().noneMatch(own -> frame.startsWith("at " + own))) {
                details.add(line.replace("\t", "  "));
            }
        }
        return Json.error("the class " + className + " threw " + details.remove(0), details);
    }
}
