package bookshop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The shop's requests and answers, whatever carries them. */
public final class Api {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Catalogue catalogue = new Catalogue();

    /** `location`: null where there is none; `body`: JSON, empty for 204. */
    public record Answer(int status, String location, byte[] body) {}

    public Answer answer(String method, String path, String query, byte[] body) throws JsonProcessingException {
        if (path.equals("/health")) return json(200, Map.of("status", "UP"));
        if (path.equals("/environment")) return json(200, environment());
        if (path.equals("/books")) {
            if (method.equals("POST")) return create(body);
            return method.equals("GET") ? list(parse(query)) : refuse(405, method + " is not possible here");
        }
        if (path.equals("/books/search")) return json(200, catalogue.search(parse(query).getOrDefault("q", "")));
        if (path.startsWith("/books/")) return one(method, path.substring("/books/".length()));
        return refuse(404, "there is nothing at " + path);
    }

    /** What a restored app sees of its container. */
    private static Map<String, String> environment() {
        String greeting = System.getenv("GREETING");
        return Map.of("greeting", greeting == null ? "" : greeting, "color", System.getProperty("color", ""));
    }

    private Answer list(Map<String, String> query) throws JsonProcessingException {
        try {
            int page = Integer.parseInt(query.getOrDefault("page", "0"));
            int size = Integer.parseInt(query.getOrDefault("size", "20"));
            if (page >= 0 && size >= 1 && size <= 100) return json(200, catalogue.page(page, size));
        } catch (NumberFormatException ignored) {
            // told below
        }
        return refuse(400, "page and size must be numbers, with 1 to 100 books a page");
    }

    private Answer create(byte[] body) throws JsonProcessingException {
        NewBook given;
        try {
            given = JSON.readValue(new String(body, StandardCharsets.UTF_8), NewBook.class);
        } catch (JsonProcessingException e) {
            return refuse(400, "not a book: " + e.getOriginalMessage());
        }
        List<String> wrong = given.check();
        if (!wrong.isEmpty()) return refuse(400, String.join(", ", wrong));
        Book book = catalogue.add(given);
        return new Answer(201, "/books/" + book.id(), JSON.writeValueAsBytes(book));
    }

    private Answer one(String method, String word) throws JsonProcessingException {
        long id = word.matches("[0-9]{1,18}") ? Long.parseLong(word) : 0;
        if (method.equals("DELETE")) {
            return catalogue.remove(id) ? new Answer(204, null, new byte[0]) : refuse(404, "there is no book " + word);
        }
        Book book = catalogue.find(id).orElse(null);
        return book == null ? refuse(404, "there is no book " + word) : json(200, book);
    }

    private static Answer refuse(int status, String detail) throws JsonProcessingException {
        return json(status, Map.of("status", status, "detail", detail));
    }

    private static Answer json(int status, Object value) throws JsonProcessingException {
        return new Answer(status, null, JSON.writeValueAsBytes(value));
    }

    private static Map<String, String> parse(String query) {
        Map<String, String> values = new HashMap<>();
        if (query == null) return values;
        for (String part : query.split("&")) {
            int end = part.indexOf('=');
            if (end > 0) values.put(decode(part.substring(0, end)), decode(part.substring(end + 1)));
        }
        return values;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
