package relay;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;
import org.crac.Context;
import org.crac.Resource;

/** A producer that is closed before a checkpoint and made anew, for the brokers of the new environment, after the restore. */
final class Sender implements Resource, AutoCloseable {
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private KafkaProducer<String, String> producer = open();

    private static KafkaProducer<String, String> open() {
        String brokers = System.getenv("KAFKA_BROKERS");
        if (brokers == null) throw new IllegalStateException("KAFKA_BROKERS is not set");
        Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "acks", "all", "max.block.ms", 10_000);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    /** "partition 0, offset 17" */
    String send(String text) throws Exception {
        lock.readLock().lock();
        try {
            RecordMetadata stored = producer.send(new ProducerRecord<>("orders", text)).get(10, TimeUnit.SECONDS);
            return "partition " + stored.partition() + ", offset " + stored.offset();
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Keeps the lock: who sends meanwhile waits for the restore. */
    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        lock.writeLock().lock();
        producer.close();
    }

    /** Called by the thread that called the other. */
    @Override
    public void afterRestore(Context<? extends Resource> context) {
        try {
            producer = open();
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void close() {
        producer.close();
    }
}
