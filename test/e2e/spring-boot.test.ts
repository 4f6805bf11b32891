/** A framework without a line for CRaC: examples/spring-boot as it is, restored under the restrictions of production. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { buildImage, JDKS, ROOT } from './support/build-example.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const EXAMPLE = join(ROOT, 'examples/spring-boot');
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-spring-boot-'));
  await promisify(execFile)(join(EXAMPLE, 'build'));
}, 300_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

/** The example's own settings, and a class that is only in a jar in the jar: Tomcat's, which prints its version. */
async function writeConfig(): Promise<string> {
  const settings = parse(await readFile(join(EXAMPLE, 'crac-build.yaml'), 'utf8'));
  settings.app.jar = join(EXAMPLE, settings.app.jar);
  settings.warmUp.scenarios.push({ name: 'inside', javaClass: 'org.apache.catalina.util.ServerInfo' });
  const config = join(dir, 'crac-build.yaml');
  await writeFile(config, stringify(settings));
  return config;
}

test('a Spring Boot app restores, serves as before, takes what is new, and ends gracefully', async () => {
  const layout = join(dir, 'image');
  const { warmth, verified } = await buildImage([
    ...['--config', await writeConfig(), '--base', `jdk:${JDKS[25]}`, '--engine', 'oci', '--output', `oci:${layout}`],
    ...['--warm-up-max', '20s'],
  ]);
  const warmed = warmth?.endpoints.map(({ method, path }) => `${method} ${path}`) ?? [];
  expect(warmed).toEqual(
    expect.arrayContaining(['GET /books/{{id}}', 'POST /books', 'POST /books (invalid)', 'DELETE /books/{id}']),
  );
  const { restoredMs, coldMs } = verified as { readonly restoredMs: readonly number[]; readonly coldMs: number };
  expect(Math.min(...restoredMs)).toBeLessThan(coldMs / 5);

  await using started = await startInCrun(layout, { environment: { CRAC_RESTORE: 'require' } });
  await waitUntilAnswered(() => started.get('/actuator/health'));
  expect(await started.getJson('/actuator/health')).toMatchObject({ status: 'UP' });
  expect(await started.getJson('/books/17')).toMatchObject({ id: 17, isbn: '978-0000000016' });
  const origin = `http://127.0.0.1:${await started.portOf(8080)}`;
  const create = (book: object) =>
    fetch(`${origin}/books`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(book),
    });
  const made = await create({ title: 'After', author: 'Ada Quill', isbn: '978-0000001000', price: 9.5 });
  expect(made.status).toBe(201);
  expect(await (await fetch(made.headers.get('location') ?? '')).json()).toMatchObject({ title: 'After', tags: [] });
  expect((await create({ title: '', price: -1 })).status).toBe(400);
  expect((await fetch(`${origin}/books/0`)).status).toBe(404);

  const { exitCode, output } = await started.stop();
  expect(exitCode).toBe(143);
  expect(output).toContain('Graceful shutdown complete');
  expect(output).not.toMatch(/Exception|ERROR|starting cold/);
}, 240_000);
