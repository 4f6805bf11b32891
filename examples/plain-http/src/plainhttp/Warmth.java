package plainhttp;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
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

    /** `?mb=100`: holds at least so many megabytes from now on, in arrays of a kilobyte, no two alike; tells how many. */
    synchronized String keep(Query query) {
        while (kept.size() < query.number("mb", 0) << 10) {
            kept.add(Arrays.copyOf(("array " + kept.size()).getBytes(UTF_8), 1000));
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
