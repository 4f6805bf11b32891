package bookshop;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.util.UriComponentsBuilder;

@RestController
@RequestMapping("/books")
class BookController {
    private final Catalogue catalogue;

    BookController(Catalogue catalogue) {
        this.catalogue = catalogue;
    }

    record Page(List<Book> items, int page, int size, int total) {}

    @GetMapping
    Page list(
            @RequestParam(defaultValue = "0") @Min(0) int page,
            @RequestParam(defaultValue = "20") @Min(1) @Max(100) int size) {
        return new Page(catalogue.page(page, size), page, size, catalogue.size());
    }

    @GetMapping("/search")
    List<Book> search(@RequestParam @NotBlank String q) {
        return catalogue.search(q, 20);
    }

    @GetMapping("/{id}")
    Book show(@PathVariable long id) {
        return catalogue.find(id).orElseThrow(() -> unknown(id));
    }

    @PostMapping
    ResponseEntity<Book> create(@Valid @RequestBody NewBook given, UriComponentsBuilder here) {
        Book book = catalogue.add(given);
        return ResponseEntity.created(here.path("/books/{id}").build(book.id())).body(book);
    }

    @DeleteMapping("/{id}")
    ResponseEntity<Void> remove(@PathVariable long id) {
        if (!catalogue.remove(id)) throw unknown(id);
        return ResponseEntity.noContent().build();
    }

    private static ResponseStatusException unknown(long id) {
        return new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no book " + id);
    }
}
