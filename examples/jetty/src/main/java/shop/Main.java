package shop;

import org.eclipse.jetty.server.Server;

/** Nothing here knows of checkpoints: the listening socket stays open over one. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Server server = Shop.on(8080);
        server.start();
        server.join();
    }
}
