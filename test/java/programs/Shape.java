import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.TreeSet;

/** What of a class other code can use. */
class Shape {
    static void print(Class<?> type) {
        System.out.println(type.toGenericString() + (type.isInterface() ? "" : " extends " + type.getSuperclass().getName()));
        TreeSet<String> members = new TreeSet<>();
        for (Executable[] all : new Executable[][] {type.getDeclaredConstructors(), type.getDeclaredMethods()}) {
            for (Executable each : all) {
                if ((each.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0) {
                    members.add(each.toGenericString());
                }
            }
        }
        Arrays.stream(type.getFields()).forEach(each -> members.add(each.toGenericString()));
        members.forEach(each -> System.out.println("  " + each));
    }
}
