package clinic;

import jakarta.validation.Valid;
import java.time.LocalDate;
import org.springframework.data.domain.PageRequest;
import org.springframework.data.domain.Sort;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Controller;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.ui.Model;
import org.springframework.validation.BindingResult;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ModelAttribute;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.server.ResponseStatusException;

@Controller
class OwnerController {
    private final OwnerRepository owners;

    OwnerController(OwnerRepository owners) {
        this.owners = owners;
    }

    @GetMapping("/")
    String welcome() {
        return "welcome";
    }

    @GetMapping("/owners")
    String list(@RequestParam(defaultValue = "") String lastName, @RequestParam(defaultValue = "0") int page, Model model) {
        PageRequest request = PageRequest.of(page, 10, Sort.by("lastName", "firstName"));
        model.addAttribute("page", owners.findByLastNameStartingWithIgnoreCase(lastName, request));
        model.addAttribute("lastName", lastName);
        return "owners/list";
    }

    @GetMapping("/owners/new")
    String form(Model model) {
        model.addAttribute("owner", new Owner("", "", "", ""));
        return "owners/form";
    }

    @PostMapping("/owners")
    String create(@Valid @ModelAttribute("owner") Owner owner, BindingResult result) {
        return result.hasErrors() ? "owners/form" : "redirect:/owners/" + owners.save(owner).getId();
    }

    @GetMapping("/owners/{id}")
    @Transactional(readOnly = true)
    String show(@PathVariable long id, Model model) {
        model.addAttribute("owner", find(id));
        return "owners/details";
    }

    @PostMapping("/owners/{id}/pets/{name}/visits")
    @Transactional
    String visit(@PathVariable long id, @PathVariable String name, @RequestParam String reason) {
        find(id).getPets().stream()
                .filter(pet -> pet.getName().equals(name))
                .forEach(pet -> pet.getVisits().add(new Visit(LocalDate.now(), reason)));
        return "redirect:/owners/" + id;
    }

    private Owner find(long id) {
        return owners.findWithPetsById(id)
                .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "there is no owner " + id));
    }
}
