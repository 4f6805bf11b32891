package shop;

import bookshop.Catalogue;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BodyHandler;

public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Vertx vertx = Vertx.vertx();
        Router router = Router.router(vertx);
        router.route().handler(BodyHandler.create(false));
        new BookRoutes(new Catalogue()).addTo(router);
        vertx.createHttpServer()
                .requestHandler(router)
                .listen(8080)
                .onSuccess(server -> System.out.println("listening on " + server.actualPort()))
                .onFailure(cause -> {
                    System.err.println("cannot listen: " + cause);
                    vertx.close();
                });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> vertx.close().await()));
    }
}
