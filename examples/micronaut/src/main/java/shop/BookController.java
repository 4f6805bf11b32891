package shop;

import bookshop.Book;
import bookshop.Catalogue;
import bookshop.NewBook;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.QueryValue;
import java.net.URI;
import java.util.List;
import java.util.Map;

@Controller
final class BookController {
    private final Catalogue catalogue = new Catalogue();

    @Get("/books")
    HttpResponse<?> list(@QueryValue(defaultValue = "0") int page, @QueryValue(defaultValue = "20") int size) {
        boolean wrong = page < 0 || size < 1 || size > 100;
        return wrong ? refuse(HttpStatus.BAD_REQUEST, "1 to 100 books a page") : HttpResponse.ok(catalogue.page(page, size));
    }

    @Get("/books/search")
    List<Book> search(@QueryValue(defaultValue = "") String q) {
        return catalogue.search(q);
    }

    @Get("/books/{id}")
    HttpResponse<?> show(long id) {
        Book book = catalogue.find(id).orElse(null);
        return book == null ? unknown(id) : HttpResponse.ok(book);
    }

    @Post("/books")
    HttpResponse<?> create(@Body NewBook given) {
        List<String> wrong = given.check();
        if (!wrong.isEmpty()) return refuse(HttpStatus.BAD_REQUEST, String.join(", ", wrong));
        Book book = catalogue.add(given);
        return HttpResponse.created(book, URI.create("/books/" + book.id()));
    }

    @Delete("/books/{id}")
    HttpResponse<?> remove(long id) {
        return catalogue.remove(id) ? HttpResponse.noContent() : unknown(id);
    }

    /** What a restored app sees of its container. */
    @Get("/environment")
    Map<String, String> environment() {
        return Map.of(
                "greeting", System.getenv().getOrDefault("GREETING", ""), "color", System.getProperty("color", ""));
    }

    private static HttpResponse<?> unknown(long id) {
        return refuse(HttpStatus.NOT_FOUND, "there is no book " + id);
    }

    private static HttpResponse<?> refuse(HttpStatus status, String detail) {
        return HttpResponse.status(status).body(Map.of("status", status.getCode(), "detail", detail));
    }
}
