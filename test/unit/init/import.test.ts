import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { composeWarmUp } from '../../../src/init/compose-warm-up.ts';
import { type ImportOptions, importScenarios } from '../../../src/init/import-scenarios.ts';
import type { Imported } from '../../../src/init/imported.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { expectGolden } from '../../support/golden.ts';

const SAMPLES = join(import.meta.dirname, 'samples');
const HAR = join(SAMPLES, 'shop.har');
const LOG = join(SAMPLES, 'access.log');
const PETS = join(SAMPLES, 'petstore.yaml');
const DEFAULTS = { top: 20, includeWrites: false, includeAssets: false, keepThinkTimes: false };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'import-test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function importFrom(options: Partial<ImportOptions>): Promise<readonly Imported[]> {
  return importScenarios({ ...DEFAULTS, ...options });
}

/** As it is written; what stands there must be read back by the parser of the config. */
async function compose(options: Partial<ImportOptions>): Promise<string> {
  const imports = await importFrom(options);
  const yaml = `${composeWarmUp(imports).join('\n')}\n`;
  const scenarios = parseConfig(yaml, 'crac-build.yaml').settings.warmUp?.scenarios ?? [];
  const complete = imports.flatMap((imported) =>
    imported.scenarios.filter(({ steps }) => steps.every(({ missing }) => missing === undefined)),
  );
  for (const [index, { steps = [] }] of scenarios.entries()) {
    expect(steps.map(({ method = 'GET', body, form }) => ({ method, body, form }))).toEqual(
      complete[index]?.steps.map(({ method, body, form }) => ({ method, body, form })),
    );
  }
  expect(scenarios).toHaveLength(complete.length);
  return yaml;
}

describe('a HAR', () => {
  test('becomes one scenario without secrets, noise and static files', async () => {
    expectGolden('init/har.yaml', await compose({ har: HAR }));
  });

  test('keeps think times and static files where that is asked for', async () => {
    expectGolden('init/har-all.yaml', await compose({ har: HAR, keepThinkTimes: true, includeAssets: true }));
  });

  test('holds nothing of cookies, tokens, passwords and answers', async () => {
    const text = readFileSync(HAR, 'utf8');
    const yaml = await compose({ har: HAR, keepThinkTimes: true, includeAssets: true });
    for (const secret of ['f00dfeed', 'eyJhbGci', 's3cret!', '9d8c7b6a5e4f', 'abc123', '77aa', 'never']) {
      expect(text).toContain(secret);
      expect(yaml).not.toContain(secret);
    }
  });

  test('the requests to another host', async () => {
    expect(await compose({ har: HAR, host: 'metrics.example' })).toContain('path: /collect');
  });
});

describe('an OpenAPI document', () => {
  test('becomes a scenario for each GET; what lacks a value is a comment', async () => {
    expectGolden('init/openapi.yaml', await compose({ openApi: PETS }));
  });

  test('what may write comes with --include-writes only, with made-up bodies', async () => {
    expectGolden('init/openapi-writes.yaml', await compose({ openApi: PETS, includeWrites: true }));
  });

  test('Swagger 2, as JSON', async () => {
    expectGolden('init/swagger.yaml', await compose({ openApi: join(SAMPLES, 'swagger.json'), includeWrites: true }));
  });

  test('whose body would be too long for a config gets a comment', async () => {
    const path = join(dir, 'long.yaml');
    writeFileSync(
      path,
      `openapi: 3.0.3\npaths: { /a: { get: {}, put: { requestBody: { content: { application/json: { example: ${'x'.repeat(5000)} } } } } } }\n`,
    );
    expect(await compose({ openApi: path, includeWrites: true })).toMatch(/# missing: .*too long.*bodyFile/);
  });

  test('of which nothing can be sent as it is has no active key', async () => {
    const path = join(dir, 'closed.yaml');
    writeFileSync(path, 'openapi: 3.0.3\npaths: { "/a/{b}": { get: {} } }\n');
    expect(composeWarmUp(await importFrom({ openApi: path })).every((line) => /^\s*(#|$)/.test(line))).toBe(true);
  });
});

describe('an access log', () => {
  test('becomes its most frequent requests, folded and weighted', async () => {
    expectGolden('init/access-log.yaml', await compose({ accessLog: LOG }));
  });

  test('with writes and static files, the first two', async () => {
    const yaml = await compose({ accessLog: LOG, includeWrites: true, includeAssets: true, top: 2 });
    expect(yaml).toContain('less frequent (--top 2)');
    expect(parseConfig(yaml, 'c').settings.warmUp?.scenarios?.map(({ name, weight }) => ({ name, weight }))).toEqual([
      { name: 'GET /orders/*', weight: 57 },
      { name: 'GET /orders?page&size', weight: 43 },
    ]);
    expect(await compose({ accessLog: LOG, includeWrites: true, includeAssets: true })).toMatch(
      /add body, json or form\n\s+- name: POST \/orders\n(.*\n)*.*status: 201/,
    );
  });

  test('gzipped', async () => {
    const path = join(dir, 'access.log.gz');
    writeFileSync(path, gzipSync(readFileSync(LOG)));
    const [plain, zipped] = [await importFrom({ accessLog: LOG }), await importFrom({ accessLog: path })];
    expect(zipped[0]?.scenarios).toEqual(plain[0]?.scenarios);
  });
});

test('several imports stand side by side, with names of their own', async () => {
  const yaml = await compose({ openApi: PETS, accessLog: LOG, har: HAR });
  const names = parseConfig(yaml, 'c').settings.warmUp?.scenarios?.map(({ name }) => name) ?? [];
  expect(names).toEqual(expect.arrayContaining(['shop.example', 'listPets', 'GET /orders/*']));
  expect(yaml).toContain('listPets (2)');
});

test('what is damaged is told with file, place and what was expected', async () => {
  const har = readFileSync(HAR, 'utf8');
  const entries = (change: (entry: Record<string, unknown>) => void) => {
    const whole = JSON.parse(har);
    change(whole.log.entries[3]);
    return JSON.stringify(whole);
  };
  const api = (paths: string) => `openapi: 3.0.3\npaths:\n${paths}`;
  const mistakes: Readonly<Record<string, readonly ['har' | 'openApi' | 'accessLog', string | Buffer | undefined]>> = {
    'HAR: missing': ['har', undefined],
    'HAR: empty': ['har', ' \n'],
    'HAR: cut off': ['har', har.slice(0, 3000)],
    'HAR: cut off in a text': ['har', '{"log": {"entries": [{"url": "http'],
    'HAR: a comma too many': ['har', '{\n  "log": {\n    "entries": [],\n  }\n}'],
    'HAR: a comma too few': ['har', '{"log": {"version": "1.2"\n "entries": []}}'],
    'HAR: no JSON': ['har', '<html></html>'],
    'HAR: two documents': ['har', '{"log": {"entries": []}}\n{}'],
    'HAR: other JSON': ['har', '{"entries": []}'],
    'HAR: no requests': ['har', '{"log": {"entries": []}}'],
    'HAR: an entry without a request': ['har', entries((entry) => delete entry['request'])],
    'HAR: a relative URL': ['har', entries((entry) => Object.assign(entry['request'] as object, { url: '/a' }))],
    'HAR: a date in words': ['har', entries((entry) => Object.assign(entry, { startedDateTime: 'yesterday' }))],
    'HAR: a status in words': ['har', entries((entry) => Object.assign(entry['response'] as object, { status: 'OK' }))],
    'OpenAPI: YAML with a bad indent': ['openApi', 'openapi: 3.0.3\npaths:\n  /a:\n    get: {\n'],
    'OpenAPI: JSON cut off': ['openApi', '{"openapi": "3.0.3", "paths": {'],
    'OpenAPI: a list': ['openApi', '- a\n'],
    'OpenAPI: something else': ['openApi', 'name: x\n'],
    'OpenAPI: too old': ['openApi', 'swagger: "1.2"\npaths: {}\n'],
    'OpenAPI: no paths': ['openApi', 'openapi: 3.1.0\n'],
    'OpenAPI: paths that are a list': ['openApi', 'openapi: 3.1.0\npaths: []\n'],
    'OpenAPI: a path that is a text': ['openApi', api('  /a: get\n')],
    'OpenAPI: an operation that is a text': ['openApi', api('  /a: { get: it }\n')],
    'OpenAPI: a parameter without a name': ['openApi', api('  /a: { get: { parameters: [{ in: query }] } }\n')],
    'OpenAPI: parameters that are no list': ['openApi', api('  /a: { get: { parameters: { in: query } } }\n')],
    'OpenAPI: a $ref to another file': [
      'openApi',
      api("  /a: { get: { parameters: [{ $ref: 'common.yaml#/x' }] } }\n"),
    ],
    'OpenAPI: a $ref to nothing': ['openApi', api("  /a: { get: { parameters: [{ $ref: '#/components/x' }] } }\n")],
    'OpenAPI: a $ref to itself': ['openApi', api("  /a: { $ref: '#/paths/~1a' }\n")],
    'OpenAPI: nothing but writes': ['openApi', api('  /a: { post: {}, put: {} }\n')],
    'access log: missing': ['accessLog', undefined],
    'access log: empty': ['accessLog', ''],
    'access log: JSON lines': ['accessLog', '\n{"method": "GET", "path": "/", "status": 200}\n'],
    'access log: nothing but errors': [
      'accessLog',
      '1.2.3.4 - - [x] "GET / HTTP/1.1" 500 1\n1.2.3.4 - - [x] "PUT / HTTP/1.1" 200 1\n',
    ],
    'access log: not gzipped whole': ['accessLog', gzipSync(readFileSync(LOG)).subarray(0, 200)],
  };
  let told = '';
  for (const [title, [kind, content]] of Object.entries(mistakes)) {
    const name = { har: 'broken.har', openApi: 'broken.yaml', accessLog: 'broken.log' }[kind];
    const path = join(dir, Buffer.isBuffer(content) ? `${name}.gz` : title.includes('JSON cut') ? 'broken.json' : name);
    rmSync(path, { force: true });
    if (content !== undefined) writeFileSync(path, content);
    const error = await importFrom({ [kind]: path }).catch((thrown: unknown) => thrown);
    if (!isCracBuildError(error)) throw error;
    told += `── ${title}\n${renderError(error)}\n`;
  }
  const error = await importFrom({ har: HAR, host: 'nobody.example' }).catch((thrown: unknown) => thrown);
  told += `── HAR: a host that is not there\n${renderError(error)}`;
  expectGolden('init/import-errors.txt', told.replaceAll(`${dir}/`, '').replaceAll(`${SAMPLES}/`, ''));
});
