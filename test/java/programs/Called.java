import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/** An app whose classes are called from outside; with a folder, one that has a class loader of its own for it. */
public final class Called {
    private static int calls;

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            URL[] folder = {Path.of(arguments[0]).toUri().toURL()};
            Thread.currentThread().setContextClassLoader(new URLClassLoader("own", folder, Called.class.getClassLoader()));
        }
        Thread reader = new Thread(Called::read, "reader");
        reader.start();
        System.out.println("ready");
        if (arguments.length > 1) {
            return; // the thread "main" ends, the app does not
        }
        reader.join();
    }

    private static void read() {
        try {
            new BufferedReader(new InputStreamReader(System.in)).readLine();
        } catch (java.io.IOException gone) {
            // as good as a line
        }
    }

    /** Not public, as the launcher takes it, too. */
    static final class Warm {
        public static void main(String[] arguments) {
            calls++;
            System.out.println("called " + calls + " " + arguments.length + " " + Thread.currentThread().getName());
        }
    }

    static final class Task implements Runnable {
        private Task() {
        }

        @Override
        public void run() {
            System.out.println("ran");
        }
    }

    static final class Failing {
        public static void main(String[] arguments) throws Exception {
            try {
                check();
            } catch (IllegalStateException cause) {
                throw new Exception("no \"tea\"", cause);
            }
        }

        private static void check() {
            throw new IllegalStateException("too cold");
        }
    }

    static final class Broken {
        private static final int SIZE = Integer.parseInt("x");

        public static void main(String[] arguments) {
            System.out.println(SIZE);
        }
    }

    static final class Neither {
        public void main(String[] arguments) {
            System.out.println("not static");
        }
    }
}
