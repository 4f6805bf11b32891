package bookshop;

import java.math.BigDecimal;
import java.util.List;

public record Book(long id, String title, String author, String isbn, BigDecimal price, List<String> tags) {}
