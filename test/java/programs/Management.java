import java.lang.management.ManagementFactory;
import java.lang.management.PlatformManagedObject;
import java.util.Arrays;
import java.util.TreeSet;
import javax.management.JMX;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import jdk.crac.management.CRaCMXBean;

/** Looks at the bean in every way there is, waits for a restore that somebody else simulates, and looks again. */
public class Management {
    public static void main(String[] args) throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName("jdk.management:type=CRaC");
        System.out.println("registered " + server.isRegistered(name));
        System.out.println("named " + ManagementFactory.getPlatformMXBean(CRaCMXBean.class).getObjectName());
        System.out.println("interface " + ManagementFactory.getPlatformManagementInterfaces().contains(CRaCMXBean.class));
        for (MBeanOperationInfo operation : server.getMBeanInfo(name).getOperations()) {
            System.out.println("operation " + operation.getReturnType() + " " + operation.getName());
        }
        System.out.println("attributes " + new TreeSet<>(Arrays.stream(server.getMBeanInfo(name).getAttributes())
                .map(each -> each.getType() + " " + each.getName()).toList()));
        CRaCMXBean remote = JMX.newMXBeanProxy(server, name, CRaCMXBean.class);
        System.out.println("before " + remote.getRestoreTime() + " " + remote.getUptimeSinceRestore());
        long began = System.currentTimeMillis();
        remote.checkpointRestore();
        CRaCMXBean bean = CRaCMXBean.getCRaCMXBean();
        long restored = bean.getRestoreTime();
        System.out.println("restored " + (restored >= began && restored <= System.currentTimeMillis()));
        Thread.sleep(20);
        long uptime = remote.getUptimeSinceRestore();
        System.out.println("uptime " + (uptime >= 20 && uptime < 30_000));
        System.out.println("type " + (bean instanceof PlatformManagedObject));
        try {
            server.invoke(name, "checkpointRestore", null, null);
        } catch (javax.management.MBeanException refused) {
            System.out.println("refused " + refused.getCause().getMessage());
        }
    }
}
