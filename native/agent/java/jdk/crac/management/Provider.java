package jdk.crac.management;

import java.util.List;
import java.util.Map;
import java.util.Set;
import sun.management.spi.PlatformMBeanProvider;

/** Brings the bean to the platform MBean server, which finds this class when it is first asked for (management.c). */
public final class Provider extends PlatformMBeanProvider {
    @Override
    public List<PlatformComponent<?>> getPlatformComponentList() {
        return List.of(new Component());
    }

    private static final class Component implements PlatformComponent<CRaCMXBean> {
        private final CRaCMXBean bean = new CRaCBean();

        @Override
        public Set<Class<? extends CRaCMXBean>> mbeanInterfaces() {
            return Set.of(CRaCMXBean.class);
        }

        @Override
        public Set<String> mbeanInterfaceNames() {
            return Set.of(CRaCMXBean.class.getName());
        }

        @Override
        public Map<String, CRaCMXBean> nameToMBeanMap() {
            return Map.of(CRaCMXBean.CRAC_MXBEAN_NAME, bean);
        }

        @Override
        public String getObjectNamePattern() {
            return CRaCMXBean.CRAC_MXBEAN_NAME;
        }
    }
}
