package jdk.crac.management;

import java.lang.management.ManagementFactory;
import java.lang.management.PlatformManagedObject;
import jdk.crac.CheckpointException;
import jdk.crac.RestoreException;

/** Tells of the last restore, and has a checkpoint taken. */
public interface CRaCMXBean extends PlatformManagedObject {
    /** The bean's name in the platform MBean server. */
    String CRAC_MXBEAN_NAME = "jdk.management:type=CRaC";

    /** Milliseconds since the last restore began; -1 when the process was not restored. */
    long getUptimeSinceRestore();

    /** When the last restore began, in milliseconds since the epoch; -1 when the process was not restored. */
    long getRestoreTime();

    /** The same as {@link jdk.crac.Core#checkpointRestore()}. */
    void checkpointRestore() throws CheckpointException, RestoreException;

    /** The bean of this process. */
    static CRaCMXBean getCRaCMXBean() {
        return ManagementFactory.getPlatformMXBean(CRaCMXBean.class);
    }
}
