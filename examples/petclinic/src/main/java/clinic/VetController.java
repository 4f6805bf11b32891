package clinic;

import java.util.List;
import org.springframework.data.domain.Sort;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ResponseBody;

@Controller
class VetController {
    private final VetRepository vets;

    VetController(VetRepository vets) {
        this.vets = vets;
    }

    @GetMapping("/vets.html")
    String page(Model model) {
        model.addAttribute("vets", all());
        return "vets/list";
    }

    @GetMapping("/vets")
    @ResponseBody
    List<Vet> all() {
        return vets.findAll(Sort.by("name"));
    }
}
