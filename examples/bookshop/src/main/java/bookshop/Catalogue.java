package bookshop;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** In memory: what is added is gone with the process. */
public final class Catalogue {
    private final ConcurrentSkipListMap<Long, Book> books = new ConcurrentSkipListMap<>();
    private final AtomicLong lastId = new AtomicLong();

    public Catalogue() {
        Stock.make().forEach(this::add);
    }

    public Book add(NewBook given) {
        Book book = given.withId(lastId.incrementAndGet());
        books.put(book.id(), book);
        return book;
    }

    public Optional<Book> find(long id) {
        return Optional.ofNullable(books.get(id));
    }

    public boolean remove(long id) {
        return books.remove(id) != null;
    }

    public Page page(int page, int size) {
        List<Book> items = books.values().stream().skip((long) page * size).limit(size).toList();
        return new Page(items, page, size, books.size());
    }

    public record Page(List<Book> items, int page, int size, int total) {}

    /** Those that have all of the words, the cheapest first. */
    public List<Book> search(String text) {
        String[] words = text.toLowerCase(Locale.ROOT).trim().split("\\s+");
        return books.values().stream()
                .filter(book -> Stream.of(words).allMatch(word -> describe(book).contains(word)))
                .sorted(Comparator.comparing(Book::price).thenComparing(Book::title))
                .limit(20)
                .toList();
    }

    private static String describe(Book book) {
        return (book.title() + ' ' + book.author() + ' ' + String.join(" ", book.tags())).toLowerCase(Locale.ROOT);
    }
}
