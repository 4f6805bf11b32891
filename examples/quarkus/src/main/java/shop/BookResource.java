package shop;

import bookshop.Book;
import bookshop.Catalogue;
import bookshop.NewBook;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestQuery;

@Path("/books")
public class BookResource {
    private final Catalogue catalogue = new Catalogue();

    @GET
    public Response list(@RestQuery @DefaultValue("0") int page, @RestQuery @DefaultValue("20") int size) {
        boolean wrong = page < 0 || size < 1 || size > 100;
        return wrong ? refuse(400, "1 to 100 books a page") : Response.ok(catalogue.page(page, size)).build();
    }

    @GET
    @Path("/search")
    public List<Book> search(@RestQuery @DefaultValue("") String q) {
        return catalogue.search(q);
    }

    @GET
    @Path("/{id}")
    public Response show(@RestPath long id) {
        return catalogue.find(id).map(book -> Response.ok(book).build()).orElseGet(() -> unknown(id));
    }

    @POST
    public Response create(NewBook given) {
        List<String> wrong = given == null ? List.of("a book is missing") : given.check();
        if (!wrong.isEmpty()) return refuse(400, String.join(", ", wrong));
        Book book = catalogue.add(given);
        return Response.created(URI.create("/books/" + book.id())).entity(book).build();
    }

    @DELETE
    @Path("/{id}")
    public Response remove(@RestPath long id) {
        return catalogue.remove(id) ? Response.noContent().build() : unknown(id);
    }

    private static Response unknown(long id) {
        return refuse(404, "there is no book " + id);
    }

    private static Response refuse(int status, String detail) {
        return Response.status(status).entity(Map.of("status", status, "detail", detail)).build();
    }
}
