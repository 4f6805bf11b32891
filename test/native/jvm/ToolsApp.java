import java.lang.management.ManagementFactory;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * PENDING_MS: waits so long in several ways, across its checkpoint, and says how long it was; runs until it is ended.
 * "jmx PORT": asks another JVM for its process id.
 */
public class ToolsApp {
    static final long began = System.nanoTime();

    interface Wait {
        void run(long ms) throws Exception;
    }

    static void say(String line) {
        System.out.println(line);
    }

    static Runnable waiting(String kind, Wait wait, long ms) {
        return () -> {
            try {
                say("waits " + kind);
                wait.run(ms);
                woke(kind);
            } catch (Exception thrown) {
                say(kind + " " + thrown);
            }
        };
    }

    static void woke(String kind) {
        say("woke " + kind + " after " + (System.nanoTime() - began) / 1_000_000 + " at " + System.currentTimeMillis());
    }

    static void waitForNothing(long ms) throws InterruptedException {
        Object monitor = new Object();
        long deadline = System.nanoTime() + ms * 1_000_000;
        synchronized (monitor) {
            for (long left = ms; left > 0; left = (deadline - System.nanoTime() + 999_999) / 1_000_000) {
                monitor.wait(left);
            }
        }
    }

    static void startVirtual(Runnable task) throws Exception {
        if (Runtime.version().feature() >= 21) {
            Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
        }
    }

    static void askByJmx(String port) throws Exception {
        JMXServiceURL url = new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + port + "/jmxrmi");
        try (JMXConnector connector = JMXConnectorFactory.connect(url)) {
            MBeanServerConnection server = connector.getMBeanServerConnection();
            ObjectName runtime = new ObjectName(ManagementFactory.RUNTIME_MXBEAN_NAME);
            say("Name " + server.getAttribute(runtime, "Name"));
            say("Pid " + server.getAttribute(runtime, "Pid"));
            say("Threads " + server.getAttribute(new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME), "ThreadCount"));
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("jmx")) {
            askByJmx(args[1]);
            return;
        }
        long ms = Long.parseLong(args[0]);
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
        executor.schedule(() -> woke("task"), ms, TimeUnit.MILLISECONDS);
        new Thread(waiting("monitor", ToolsApp::waitForNothing, ms)).start();
        startVirtual(waiting("virtual", Thread::sleep, ms));
        startVirtual(waiting("virtual-monitor", ToolsApp::waitForNothing, ms));
        say("ready");
    }
}
