package plainhttp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Work worth warming up, and state that only a running JVM has: it must be there after the restore. */
final class Warmth {
    private record Order(int id, String customer, double amount) {}

    private final AtomicLong runs = new AtomicLong();
    private final Map<String, String> state = new ConcurrentHashMap<>();
    private final List<byte[]> kept = new ArrayList<>();

    /** `?n=1000`: makes n orders, sorts them and writes them as text. The same n gives the same answer. */
    String work(Query query) {
        int n = query.number("n", 1000);
        Random random = new Random(n);
        List<Order> orders = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            orders.add(new Order(i, "customer-" + random.nextInt(100), random.nextInt(1_000_000) / 100.0));
        }
        orders.sort(Comparator.comparing(Order::customer).thenComparing(Order::amount).thenComparing(Order::id));
        StringBuilder text = new StringBuilder();
        for (Order order : orders) {
            text.append(Json.object("id", order.id(), "customer", order.customer(), "amount", order.amount()));
        }
        long run = runs.incrementAndGet();
        state.putIfAbsent("firstWork", "n=" + n + " run=" + run);
        return Json.object("n", n, "characters", text.length(), "hash", text.toString().hashCode());
    }

    /** `?mb=100`: holds so many megabytes more, in arrays of a kilobyte, no two alike; tells how many are held. */
    synchronized String keep(Query query) {
        Random random = new Random(kept.size());
        for (int i = 0; i < query.number("mb", 0) << 10; i++) {
            byte[] array = new byte[1024 - 24];
            random.nextBytes(array);
            kept.add(array);
        }
        return Json.object("mb", kept.size() >> 10);
    }

    /** POST `?name=…` with a body sets a value; GET tells it, and how often `/work` ran. */
    String state(Query query) {
        String name = query.text("name", "value");
        if (query.method.equals("POST")) {
            state.put(name, query.body);
        }
        return Json.object("name", name, "value", state.get(name), "workRuns", runs.get(), "firstWork", state.get("firstWork"));
    }
}
