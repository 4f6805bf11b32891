package bookshop;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;

/** The shop as a servlet. `/visits` counts in the session. */
public final class BookServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    private final transient Api api = new Api();

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String path = request.getRequestURI().substring(request.getContextPath().length());
        Api.Answer answer = path.equals("/visits")
                ? new Api.Answer(200, null, ("{\"visits\":" + countVisit(request.getSession()) + '}').getBytes())
                : api.answer(request.getMethod(), path, request.getQueryString(), request.getInputStream().readAllBytes());
        response.setStatus(answer.status());
        if (answer.location() != null) response.setHeader("location", answer.location());
        if (answer.status() == 204) return;
        response.setContentType("application/json");
        response.setContentLength(answer.body().length);
        response.getOutputStream().write(answer.body());
    }

    private static int countVisit(HttpSession session) {
        synchronized (session) {
            int visits = session.getAttribute("visits") instanceof Integer before ? before + 1 : 1;
            session.setAttribute("visits", visits);
            return visits;
        }
    }
}
