// One compile step in a process of its own, which tells its time and the most memory that it had.
import { readFileSync } from 'node:fs';
import { readDump } from '../src/criu/read-dump.ts';
import { compileDump } from '../src/restore-plan/compile-dump.ts';
import { javascriptScanner, loadPageScanner } from '../src/restore-plan/page-scanner.ts';
import type { CompileOrder, CompileRun } from './compile.ts';
import { rootFile } from './root-file.ts';

const order: CompileOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const scanner = order.nativeDir === undefined ? javascriptScanner : loadPageScanner(order.nativeDir).scanner;
const start = process.hrtime.bigint();
const dump = readDump(order.dumpDir);
const { memBytes } = await compileDump(dump, { ...order.facts, rootFile }, 'map', order.outDir, scanner);
const run: CompileRun = {
  seconds: Number(process.hrtime.bigint() - start) / 1e9,
  rssBytes: process.resourceUsage().maxRSS * 1024,
  memBytes,
};
process.stdout.write(JSON.stringify(run));
