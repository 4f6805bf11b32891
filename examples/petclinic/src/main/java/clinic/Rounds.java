package clinic;

import java.util.concurrent.atomic.AtomicLong;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A scheduler that ticks; `/rounds` tells how often it has. */
@RestController
class Rounds {
    private final AtomicLong count = new AtomicLong();

    @Scheduled(fixedRate = 200)
    void walk() {
        count.incrementAndGet();
    }

    @GetMapping("/rounds")
    long count() {
        return count.get();
    }
}
