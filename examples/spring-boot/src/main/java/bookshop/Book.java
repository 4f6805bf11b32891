package bookshop;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;

record Book(long id, String title, String author, String isbn, BigDecimal price, LocalDate published, List<String> tags) {}
