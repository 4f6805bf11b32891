package transform;

import java.util.Random;

/** The same invoices for the same count. */
final class Invoices {
    private Invoices() {}

    static String make(int count) {
        Random random = new Random(count);
        StringBuilder xml = new StringBuilder("<invoices>");
        for (int number = 1; number <= count; number++) {
            xml.append("<invoice number='%d' customer='customer-%d' date='2026-%02d-%02d'>"
                    .formatted(number, random.nextInt(7), 1 + random.nextInt(12), 1 + random.nextInt(28)));
            for (int line = random.nextInt(8); line >= 0; line--) {
                xml.append("<line text='abacus %d' amount='%d.%02d'/>"
                        .formatted(line, random.nextInt(500), random.nextInt(100)));
            }
            xml.append("</invoice>");
        }
        return xml.append("</invoices>").toString();
    }
}
