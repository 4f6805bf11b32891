package plainhttp;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Two resources registered with jdk.crac where the JVM has it. By reflection, so that the app compiles and runs without
 * it; an app would use `org.crac` instead.
 */
final class CracEvents {
    private final List<String> events = Collections.synchronizedList(new ArrayList<>());
    /** The global context holds its resources by weak reference only. */
    private final List<Object> resources = new ArrayList<>();

    static CracEvents register() throws ReflectiveOperationException {
        CracEvents crac = new CracEvents();
        try {
            Class<?> resource = Class.forName("jdk.crac.Resource");
            Object context = Class.forName("jdk.crac.Core").getMethod("getGlobalContext").invoke(null);
            Method register = Class.forName("jdk.crac.Context").getMethod("register", resource);
            for (String name : List.of("first", "second")) {
                Object proxy = Proxy.newProxyInstance(resource.getClassLoader(), new Class<?>[] {resource},
                        (self, method, arguments) -> crac.notified(self, name, method, arguments));
                register.invoke(context, proxy);
                crac.resources.add(proxy);
            }
        } catch (ClassNotFoundException withoutCrac) {
            // describe() says so
        }
        return crac;
    }

    private Object notified(Object self, String name, Method method, Object[] arguments) {
        switch (method.getName()) {
            case "beforeCheckpoint":
            case "afterRestore":
                events.add(method.getName() + ":" + name);
                return null;
            case "hashCode":
                return System.identityHashCode(self);
            case "equals":
                return self == arguments[0];
            default:
                return "resource " + name;
        }
    }

    String describe() {
        List<String> seen = List.copyOf(events);
        return Json.object(
                "available", !resources.isEmpty(),
                "before", seen.stream().filter(e -> e.startsWith("beforeCheckpoint")).count(),
                "after", seen.stream().filter(e -> e.startsWith("afterRestore")).count(),
                "events", String.join(" ", seen));
    }

    private CracEvents() {}
}
