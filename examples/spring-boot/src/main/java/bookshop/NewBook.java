package bookshop;

import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Digits;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.PastOrPresent;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;

record NewBook(
        @NotBlank @Size(max = 200) String title,
        @NotBlank String author,
        @NotNull @Pattern(regexp = "97[89]-[0-9]{10}") String isbn,
        @NotNull @DecimalMin("0.01") @Digits(integer = 4, fraction = 2) BigDecimal price,
        @PastOrPresent LocalDate published,
        @Size(max = 5) List<@NotBlank String> tags) {

    Book withId(long id) {
        return new Book(id, title, author, isbn, price, published, tags == null ? List.of() : List.copyOf(tags));
    }
}
