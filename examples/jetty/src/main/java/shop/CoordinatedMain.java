package shop;

import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;
import org.eclipse.jetty.server.Server;

/** The server is stopped before a checkpoint, with all that it has open, and started again after the restore. */
public final class CoordinatedMain {
    private CoordinatedMain() {}

    public static void main(String[] arguments) throws Exception {
        Server server = Shop.on(8080);
        // Contexts hold resources weakly: this one is in a variable for as long as the server is there.
        Resource restart = new Restart(server);
        Core.getGlobalContext().register(restart);
        server.start();
        synchronized (restart) {
            restart.wait();
        }
    }

    private record Restart(Server server) implements Resource {
        @Override
        public void beforeCheckpoint(Context<? extends Resource> context) throws Exception {
            server.stop();
        }

        @Override
        public void afterRestore(Context<? extends Resource> context) throws Exception {
            server.start();
        }
    }
}
