package bookshop;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.springframework.stereotype.Repository;

/** In memory: what is added is gone with the process. */
@Repository
class Catalogue {
    private final ConcurrentSkipListMap<Long, Book> books = new ConcurrentSkipListMap<>();
    private final AtomicLong lastId = new AtomicLong();

    Catalogue() {
        Stock.make().forEach(this::add);
    }

    Book add(NewBook given) {
        Book book = given.withId(lastId.incrementAndGet());
        books.put(book.id(), book);
        return book;
    }

    Optional<Book> find(long id) {
        return Optional.ofNullable(books.get(id));
    }

    boolean remove(long id) {
        return books.remove(id) != null;
    }

    int size() {
        return books.size();
    }

    List<Book> page(int page, int size) {
        return books.values().stream().skip((long) page * size).limit(size).toList();
    }

    /** Those that have all of the words, the cheapest first. */
    List<Book> search(String text, int limit) {
        String[] words = text.toLowerCase(Locale.ROOT).trim().split("\\s+");
        return books.values().stream()
                .filter(book -> Stream.of(words).allMatch(word -> describe(book).contains(word)))
                .sorted(Comparator.comparing(Book::price).thenComparing(Book::title))
                .limit(limit)
                .toList();
    }

    private static String describe(Book book) {
        return (book.title() + ' ' + book.author() + ' ' + String.join(" ", book.tags())).toLowerCase(Locale.ROOT);
    }
}
