package clinic;

import java.util.Optional;
import org.springframework.data.domain.Page;
import org.springframework.data.domain.Pageable;
import org.springframework.data.jpa.repository.EntityGraph;
import org.springframework.data.jpa.repository.JpaRepository;

interface OwnerRepository extends JpaRepository<Owner, Long> {
    Page<Owner> findByLastNameStartingWithIgnoreCase(String lastName, Pageable page);

    @EntityGraph(attributePaths = {"pets", "pets.visits"})
    Optional<Owner> findWithPetsById(Long id);
}
