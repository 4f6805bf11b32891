package shop;

import bookshop.Book;
import bookshop.Catalogue;
import bookshop.NewBook;
import io.micronaut.runtime.Micronaut;
import io.micronaut.serde.annotation.SerdeImport;

@SerdeImport(Book.class)
@SerdeImport(NewBook.class)
@SerdeImport(Catalogue.Page.class)
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Micronaut.run(Main.class, arguments);
    }
}
