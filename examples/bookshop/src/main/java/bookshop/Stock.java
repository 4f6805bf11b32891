package bookshop;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The same 240 books each time. */
final class Stock {
    private static final List<String> SUBJECTS =
            List.of("Tea", "Trains", "Weather", "Bridges", "Bread", "Harbours", "Orchards", "Clocks", "Maps", "Bees");
    private static final List<String> FORMS =
            List.of("A History of %s", "The Secret Life of %s", "%s for Beginners", "On %s", "Notes on %s", "%s at Night");
    private static final List<String> AUTHORS = List.of("Ada Quill", "Jon Marsh", "Lena Ortega", "Tom Whitlock");

    private Stock() {}

    static Stream<NewBook> make() {
        int count = SUBJECTS.size() * FORMS.size() * AUTHORS.size();
        return IntStream.range(0, count).mapToObj(Stock::make);
    }

    private static NewBook make(int number) {
        String subject = SUBJECTS.get(number % SUBJECTS.size());
        String title = FORMS.get(number / SUBJECTS.size() % FORMS.size()).formatted(subject);
        String author = AUTHORS.get(number / (SUBJECTS.size() * FORMS.size()));
        return new NewBook(
                title,
                author,
                "978-%010d".formatted(number),
                BigDecimal.valueOf(499 + 37L * number % 2500, 2),
                List.of(subject.toLowerCase(Locale.ROOT), number % 3 == 0 ? "paperback" : "hardcover"));
    }
}
