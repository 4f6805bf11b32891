package shop;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import java.util.Map;

/** What a restored app sees of its container. */
@Path("/environment")
public class EnvironmentResource {
    @GET
    public Map<String, String> show() {
        return Map.of(
                "greeting", System.getenv().getOrDefault("GREETING", ""), "color", System.getProperty("color", ""));
    }
}
