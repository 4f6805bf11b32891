package shop;

import bookshop.Book;
import bookshop.Catalogue;
import bookshop.NewBook;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.List;

/** GET and POST /books, GET /books/search, GET and DELETE /books/:id, GET /health. */
final class BookRoutes {
    private final Catalogue catalogue;

    BookRoutes(Catalogue catalogue) {
        this.catalogue = catalogue;
    }

    void addTo(Router router) {
        router.get("/health").handler(context -> context.json(new JsonObject().put("status", "UP")));
        router.get("/environment").handler(context -> context.json(new JsonObject()
                .put("greeting", System.getenv().getOrDefault("GREETING", ""))
                .put("color", System.getProperty("color", ""))));
        router.get("/books").handler(this::list);
        router.get("/books/search").handler(context -> context.json(catalogue.search(parameter(context, "q", ""))));
        router.get("/books/:id").handler(this::show);
        router.post("/books").handler(this::create);
        router.delete("/books/:id").handler(this::remove);
    }

    private void list(RoutingContext context) {
        int page = Integer.parseInt(parameter(context, "page", "0"));
        int size = Integer.parseInt(parameter(context, "size", "20"));
        context.json(catalogue.page(page, size));
    }

    private void show(RoutingContext context) {
        catalogue.find(id(context)).ifPresentOrElse(context::json, () -> refuse(context, 404, "there is no such book"));
    }

    private void create(RoutingContext context) {
        NewBook given;
        try {
            given = context.body().asPojo(NewBook.class);
        } catch (DecodeException e) {
            refuse(context, 400, "not a book: " + e.getMessage());
            return;
        }
        List<String> wrong = given == null ? List.of("a book is missing") : given.check();
        if (!wrong.isEmpty()) {
            refuse(context, 400, String.join(", ", wrong));
            return;
        }
        Book book = catalogue.add(given);
        context.response().setStatusCode(201).putHeader("location", "/books/" + book.id());
        context.json(book);
    }

    private void remove(RoutingContext context) {
        if (catalogue.remove(id(context))) context.response().setStatusCode(204).end();
        else refuse(context, 404, "there is no such book");
    }

    private static long id(RoutingContext context) {
        String word = context.pathParam("id");
        return word.matches("[0-9]{1,18}") ? Long.parseLong(word) : 0;
    }

    private static String parameter(RoutingContext context, String name, String missing) {
        return context.queryParams().contains(name) ? context.queryParams().get(name) : missing;
    }

    private static void refuse(RoutingContext context, int status, String detail) {
        context.response().setStatusCode(status);
        context.json(new JsonObject().put("status", status).put("detail", detail));
    }
}
