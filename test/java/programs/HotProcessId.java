import java.lang.reflect.Field;

/** Changes the process id under code that has been compiled, as a restore in another container does. */
public class HotProcessId {
    static long compiled() {
        return ProcessHandle.current().pid() + ProcessHandle.current().hashCode();
    }

    private static long use(int times) {
        long sum = 0;
        for (int i = 0; i < times; i++) {
            sum += compiled();
        }
        return sum;
    }

    public static void main(String[] args) throws ReflectiveOperationException {
        for (int i = 0; i < 100; i++) {
            use(2000);
        }
        Field pid = ProcessHandle.current().getClass().getDeclaredField("pid");
        pid.setAccessible(true);
        pid.setLong(ProcessHandle.current(), 4711);
        System.out.println(use(1));
    }
}
