package jdk.crac.management;

import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import jdk.crac.CheckpointException;
import jdk.crac.Core;
import jdk.crac.RestoreException;
import jdk.crac.impl.RestoreTime;

final class CRaCBean implements CRaCMXBean {
    @Override
    public long getUptimeSinceRestore() {
        return RestoreTime.uptimeMs();
    }

    @Override
    public long getRestoreTime() {
        return RestoreTime.epochMs();
    }

    @Override
    public void checkpointRestore() throws CheckpointException, RestoreException {
        Core.checkpointRestore();
    }

    @Override
    public ObjectName getObjectName() {
        try {
            return new ObjectName(CRAC_MXBEAN_NAME);
        } catch (MalformedObjectNameException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
