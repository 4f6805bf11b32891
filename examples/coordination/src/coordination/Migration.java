package coordination;

import jdk.crac.Context;
import jdk.crac.Resource;

/** Active: no checkpoint while this is under way. Not waited for, as a person has to end it. */
final class Migration implements Resource {
    private volatile String table;

    void begin(String name) {
        table = name;
    }

    void end() {
        table = null;
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
        String moved = table;
        if (moved != null) {
            throw new IllegalStateException("table " + moved + " is being migrated");
        }
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
        // nothing was let go
    }
}
