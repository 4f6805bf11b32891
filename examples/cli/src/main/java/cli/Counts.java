package cli;

import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

final class Counts {
    private static final Pattern BETWEEN = Pattern.compile("[^\\p{L}\\p{N}]+");

    private final Map<String, Integer> counts = new TreeMap<>();

    void add(String line) {
        for (String word : BETWEEN.split(line.toLowerCase(Locale.ROOT))) {
            if (!word.isEmpty()) counts.merge(word, 1, Integer::sum);
        }
    }

    /** The ten most frequent words, a line each. */
    String render() {
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()).thenComparing(Map.Entry.comparingByKey()))
                .limit(10)
                .map(entry -> "%6d %s%n".formatted(entry.getValue(), entry.getKey()))
                .collect(Collectors.joining());
    }
}
