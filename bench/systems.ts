/** The apps of the benches that compare ways to start: examples, each with one operation of its users. */
export interface MeasuredSystem {
  /** Of figures: `spring_boot_cold_ms`. */
  readonly key: string;
  readonly example: string;
  readonly build: readonly string[];
  /** Asked with GET; no answer but 200 counts. */
  readonly operation: string;
}

export const MEASURED_SYSTEMS: readonly MeasuredSystem[] = [
  {
    ...{ key: 'spring_boot', example: 'examples/spring-boot', build: ['examples/spring-boot/build'] },
    operation: '/books/search?q=tea',
  },
  {
    ...{ key: 'quarkus', example: 'examples/quarkus', build: ['examples/build', 'quarkus'] },
    operation: '/books/search?q=tea',
  },
  {
    ...{ key: 'micronaut', example: 'examples/micronaut', build: ['examples/build', 'micronaut'] },
    operation: '/books/search?q=tea',
  },
  {
    ...{ key: 'xml_transform', example: 'examples/xml-transform', build: ['examples/build', 'xml-transform'] },
    operation: '/transform?invoices=40',
  },
  {
    ...{ key: 'petclinic', example: 'examples/petclinic', build: ['examples/petclinic/build'] },
    operation: '/owners/3',
  },
];
