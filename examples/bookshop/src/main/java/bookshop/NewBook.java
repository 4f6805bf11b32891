package bookshop;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

public record NewBook(String title, String author, String isbn, BigDecimal price, List<String> tags) {
    private static final Pattern ISBN = Pattern.compile("97[89]-[0-9]{10}");

    /** What is wrong with it; empty: nothing. */
    public List<String> check() {
        List<String> wrong = new ArrayList<>();
        if (title == null || title.isBlank()) wrong.add("title: must not be blank");
        if (author == null || author.isBlank()) wrong.add("author: must not be blank");
        if (isbn == null || !ISBN.matcher(isbn).matches()) wrong.add("isbn: must be 978- or 979- and ten digits");
        if (price == null || price.signum() <= 0) wrong.add("price: must be more than 0");
        return wrong;
    }

    Book withId(long id) {
        return new Book(id, title, author, isbn, price, tags == null ? List.of() : List.copyOf(tags));
    }
}
