package clinic;

import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.stereotype.Component;

/** 60 owners, 120 pets and six vets, the same each time; there before the first request is. */
@Component
class Sample implements SmartInitializingSingleton {
    private static final List<String> FIRST = List.of("Anna", "Bela", "Carl", "Dora", "Emil", "Frida");
    private static final List<String> LAST =
            List.of("Adler", "Berg", "Conti", "Davies", "Estevez", "Franklin", "Garcia", "Holt", "Ito", "Jensen");
    private static final List<String> KINDS = List.of("cat", "dog", "hamster", "lizard", "snake", "bird");

    private final OwnerRepository owners;
    private final VetRepository vets;

    Sample(OwnerRepository owners, VetRepository vets) {
        this.owners = owners;
        this.vets = vets;
    }

    @Override
    public void afterSingletonsInstantiated() {
        for (int number = 0; number < FIRST.size() * LAST.size(); number++) owners.save(makeOwner(number));
        for (int number = 0; number < FIRST.size(); number++) {
            Set<String> specialties = number % 2 == 0 ? Set.of("surgery", "dentistry") : Set.of("radiology");
            vets.save(new Vet(FIRST.get(number) + " Moss", new TreeSet<>(specialties)));
        }
    }

    private static Owner makeOwner(int number) {
        String last = LAST.get(number % LAST.size());
        Owner owner = new Owner(FIRST.get(number / LAST.size()), last, "Town " + number % 7, "%010d".formatted(6085551000L + number));
        for (int pet = 0; pet < 2; pet++) {
            LocalDate birth = LocalDate.of(2015, 1, 1).plusDays(37L * number + pet);
            Pet one = new Pet("Pet-" + pet, KINDS.get((number + pet) % KINDS.size()), birth);
            one.getVisits().add(new Visit(birth.plusYears(1), "vaccination"));
            owner.getPets().add(one);
        }
        return owner;
    }
}
