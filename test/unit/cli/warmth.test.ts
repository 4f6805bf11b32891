import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildResult } from '../../../src/build.ts';
import { runBuild } from '../../../src/cli/build-command.ts';
import { renderFirstRequests, renderWarmth } from '../../../src/cli/render-warmth.ts';
import { renderWarmthPage } from '../../../src/cli/render-warmth-page.ts';
import { NO_STATE } from '../../../src/stages/take-state.ts';
import { expectGolden } from '../../support/golden.ts';
import { samplePlan } from '../../support/sample-plan.ts';
import { sampleFirstRequests, sampleWarmth } from '../../support/sample-warmth.ts';

const dir = mkdtempSync(join(tmpdir(), 'warmth-'));
afterAll(() => rmSync(dir, { recursive: true }));

const verified = {
  restoredMs: [10, 11],
  coldMs: 200,
  checkedRequests: 2,
  firstRequests: { restored: sampleFirstRequests(1.25), cold: sampleFirstRequests(40) },
} as unknown as NonNullable<BuildResult['verified']>;
const ready = { javaVersion: '25.0.1', gc: 'G1' } as BuildResult['ready'];
const page = (warmth: BuildResult['warmth'], result: BuildResult['verified']) =>
  renderWarmthPage({ plan: samplePlan({ name: 'orders' }), ready, warmth, state: NO_STATE, verified: result });

test('how warm the app became is told with its first and last requests, and a line of blocks between', () => {
  const stopped = [
    sampleWarmth().stopped,
    { reason: 'settled', why: 'nothing was left to be compiled' },
    { reason: 'limit', why: '20 methods a second were being compiled' },
    { reason: 'requests', why: '1000 requests were answered' },
  ] as const;
  const texts = stopped.map((one, index) =>
    renderWarmth(sampleWarmth(one))
      .slice(0, index === 0 ? undefined : 2)
      .join('\n'),
  );
  const first = renderFirstRequests({ warmth: sampleWarmth(), verified });
  expectGolden('warmth.txt', `${[...texts, renderWarmth(undefined).join('\n'), first.join('\n')].join('\n\n')}\n`);
});

test('the page is well-formed, has all that it needs, and a curve for each endpoint beside what the JIT did', () => {
  const file = join(dir, 'page.html');
  writeFileSync(file, page(sampleWarmth(), verified));
  const count = (tag: string) =>
    Number(
      execFileSync(
        'python3',
        [
          '-c',
          `import sys, xml.dom.minidom as m; print(len(m.parse(sys.argv[1]).getElementsByTagName("${tag}")))`,
          file,
        ],
        { encoding: 'utf8' },
      ),
    );
  // Two endpoints with two percentiles each.
  expect(count('path')).toBe(4);
  // The JVM told all but its classes; there were no collections.
  expect(count('rect')).toBe(3 * 40);
  const text = page(sampleWarmth(), verified);
  expect(text).not.toMatch(/<script|<link|<img|@import|url\(|\ssrc=|\shref=|\son\w+=/i);
  expect(text).not.toMatch(/NaN|Infinity|undefined/);
  expect(text).toContain('GET /orders?q=&lt;&amp;&quot;');
  expect(text).toContain('<td>at the end of the warm-up</td><td>200</td>');
  expect(text).not.toContain('Classes loaded');
});

test.each<[string, BuildResult['warmth'], BuildResult['verified']]>([
  ['an app that asked by itself', undefined, undefined],
  ['no warm-up', { ...sampleWarmth(), endpoints: [], curve: { ...sampleWarmth().curve, endpoints: [] } }, undefined],
  ['a program', undefined, { restoredMs: [1, 2], coldMs: 3, exitCode: 0 } as never],
])('the page has less to tell of %s', (_, warmth, result) => {
  const text = page(warmth, result);
  expect(text).toContain('Warm-up of orders');
  expect(text).not.toMatch(/NaN|Infinity|undefined|The first requests/);
});

test('a place where no page can be written is told before anything is built', async () => {
  const report = join(dir, 'missing/page.html');
  const context = { report: () => {}, signal: new AbortController().signal };
  await expect(runBuild('/no/such.jar', { report, cache: true, verify: true }, context)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${report} cannot be written: ENOENT`,
  });
});
