// node scripts/run-ts.mjs scripts/write-systems-page.ts: docs/systems.md, of what `npm run test:systems` has left in target/systems.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTCOMES, type Outcome } from '../test/systems/outcomes.ts';
import { SYSTEMS } from '../test/systems/systems.ts';

const outcomes = readdirSync(OUTCOMES).map((name): Outcome => JSON.parse(readFileSync(join(OUTCOMES, name), 'utf8')));
const rows = SYSTEMS.flatMap(({ name, jdks, example }) =>
  jdks.map((jdk) => {
    const one = outcomes.find((outcome) => outcome.system === name && outcome.jdk === jdk);
    const figures =
      one === undefined
        ? ['not run', '', '', '', '']
        : [
            one.gc,
            `${Math.round(one.coldMs)} ms`,
            `${Math.round(one.restoredMs)} ms`,
            megabytes(one.rawBytes),
            megabytes(one.compressedBytes),
          ];
    return `| [${name}](../examples/${example}) | ${jdk} | ${figures.join(' | ')} |`;
  }),
);

const page = `# Systems

What \`npm run test:systems\` builds, restores and looks at, and what came of it when this page was made
(\`node scripts/run-ts.mjs scripts/write-systems-page.ts\`). None of these apps has a line for crac-build or CRaC but "jetty 12, coordinated";
restored are, in each row, two containers at once under the restrictions of production: no capability, read-only root, a foreign user.
They answer, know their own environment, share nothing, keep sessions and schedulers, log nothing that looks like an error, and end on
SIGTERM.

Times are to the first answer, container included, after a warm-up of 4 seconds on a busy machine of two cores: they tell what works, not how
fast it is. \`npm run -s bench -- startup\` measures that. Sizes are of the checkpoint layer, raw and in gzip.

| system | JDK | GC | cold | restored | raw | packed |
|---|---|---|---|---|---|---|
${rows.join('\n')}

Clients, on JDK 25: [HikariCP, Agroal and Commons DBCP](../examples/jdbc) against PostgreSQL, a [producer of Kafka](../examples/kafka-client), and
[a program](../examples/cli) that reads its input after the restore, are built beside their service and restored beside another one.

ZGC is refused on every JDK: its heap is shared memory, which a restore plan cannot hold. Shenandoah is restored (\`native/jvm-heap-safety\`).
`;
writeFileSync('docs/systems.md', page);

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
