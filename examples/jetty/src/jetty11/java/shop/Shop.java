package shop;

import bookshop.BookServlet;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

final class Shop {
    private Shop() {}

    static Server on(int port) {
        ServletContextHandler context = new ServletContextHandler(ServletContextHandler.SESSIONS);
        context.addServlet(new ServletHolder(new BookServlet()), "/*");
        Server server = new Server(port);
        server.setHandler(context);
        server.setStopAtShutdown(true);
        return server;
    }
}
