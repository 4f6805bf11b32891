// npm run -s bench -- NAME [--json] [--runs N] [--base jdk:PATH] [--java-option OPTION]... [--write DIR] [--example NAME]
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { agentBench } from './agent.ts';
import type { Bench } from './bench.ts';
import { buildBench } from './build.ts';
import { compileBench } from './compile.ts';
import { compressionBench } from './compression.ts';
import { firstRequestsBench } from './first-requests.ts';
import { layersBench } from './layers.ts';
import { inspectMachine } from './machine.ts';
import { renderJson, renderTable } from './render.ts';
import { replicasBench } from './replicas.ts';
import { restoreBench } from './restore.ts';
import { sizeBench } from './size.ts';
import { soakBench } from './soak.ts';
import { operationsBench, startupBench } from './startup.ts';
import { writePage } from './write-page.ts';

const BENCHES: readonly Bench[] = [
  restoreBench,
  buildBench,
  sizeBench,
  compressionBench,
  agentBench,
  compileBench,
  replicasBench,
  soakBench,
  firstRequestsBench,
  startupBench,
  operationsBench,
  layersBench,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '21' },
    base: { type: 'string' },
    write: { type: 'string' },
    example: { type: 'string', default: 'plain-http' },
    'java-option': { type: 'string', multiple: true, default: [] },
  },
});
const bench = BENCHES.find(({ name }) => name === positionals[0]);
const runs = Number(values.runs);
/** Those that have a warm-up until settled. */
const EXAMPLES = ['plain-http', 'spring-boot'];
const isKnown = EXAMPLES.includes(values.example) && (values.example === 'plain-http' || bench === firstRequestsBench);
if (
  bench === undefined ||
  !isKnown ||
  (values.write !== undefined && bench.chart === undefined) ||
  positionals.length !== 1 ||
  !Number.isInteger(runs) ||
  runs < 1
) {
  process.stderr.write(
    `usage: npm run -s bench -- NAME [--json] [--runs N] [--base jdk:PATH] [--java-option OPTION]... [--write DIR] [--example plain-http|spring-boot]\n(--write: startup and operations, as pages; --example: first-requests only)\n${BENCHES.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}\n`).join('')}`,
  );
  process.exit(2);
}

const workDir = resolve('target/bench', bench.name);
mkdirSync(workDir, { recursive: true });
const tell = (line: string) => process.stderr.write(`${line}\n`);
try {
  const measurements = await bench.run({
    runs,
    workDir,
    base: values.base,
    example: values.example,
    javaOptions: values['java-option'],
    tell,
  });
  const render = values.json ? renderJson : renderTable;
  const machine = inspectMachine();
  if (values.write !== undefined) {
    const command = `npm run -s bench -- ${process.argv.slice(2).join(' ')}`;
    const page = { dir: values.write, command, date: new Date().toISOString().slice(0, 10) };
    await writePage(bench, machine, measurements, page);
  }
  process.stdout.write(render(bench.name, machine, measurements));
} catch (error) {
  tell(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
