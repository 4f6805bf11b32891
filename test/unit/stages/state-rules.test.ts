import { listHeldPaths } from '../../../src/criu/held-paths.ts';
import type { FileEntry } from '../../../src/criu/schema.ts';
import type { ImageBase } from '../../../src/plan/build-plan.ts';
import { openStateRules, planStateRules } from '../../../src/stages/state-rules.ts';
import { samplePlan } from '../../support/sample-plan.ts';

const NOTHING: ReadonlySet<string> = new Set();
const judge = openStateRules(planStateRules(samplePlan(), NOTHING));

test.each([
  ['/app/data/orders.db', undefined],
  ['/var/lib/app/index', undefined],
  ['/tmp/upload-1.tmp', 'temporary'],
  ['/tmp/work/deep/file', 'temporary'],
  ['/var/tmp/file', 'temporary'],
  ['/tmp/hsperfdata_app/1', 'jvm'],
  ['/tmp/.java_pid1', 'jvm'],
  ['/tmp/.attach_pid1', 'jvm'],
  ['/app/.attach_pid1', 'jvm'],
  ['/app/.cache/fonts/a', 'cache'],
  ['/root/.cache/a', 'cache'],
  ['/var/cache/a', 'cache'],
  ['/app/.java/fonts/25/fontconfig.properties', 'cache'],
  // What libraries make at their start and read later.
  ['/tmp/tomcat-docbase.8080.123/index.html', undefined],
  ['/tmp/tomcat.8080.123/work/Tomcat/localhost/ROOT/a.class', undefined],
  ['/tmp/jetty-0_0_0_0-8080-app_war-_-any-1/webapp/a.css', undefined],
  ['/tmp/vertx-cache/file-1/webroot/index.html', undefined],
  ['/tmp/tomcat.8080', 'temporary'], // a file of that name
  ['/tmpfile', undefined],
])('%s: %s', (path, why) => expect(judge(path, false)).toBe(why));

test('a folder stays wherever it is, but the JVM’s own', () => {
  expect(judge('/tmp/work/deep', true)).toBeUndefined();
  expect(judge('/app/.cache', true)).toBeUndefined();
  expect(judge('/tmp/hsperfdata_app', true)).toBe('jvm');
  const held = openStateRules(planStateRules(samplePlan(), new Set(['/tmp/hsperfdata_app/1'])));
  expect([held('/tmp/hsperfdata_app', true), held('/tmp/hsperfdata_app/2', false)]).toEqual([undefined, 'jvm']);
});

test('what the process holds stays, with what lies beside it in a folder of its own', () => {
  const held = new Set(['/tmp/libnative.so', '/tmp/index/segment.1', '/app/.cache/store/lock', '/tmp/.attach_pid1']);
  const judgeHeld = openStateRules(planStateRules(samplePlan(), held));
  expect(judgeHeld('/tmp/libnative.so', false)).toBeUndefined();
  expect(judgeHeld('/tmp/libother.so', false)).toBe('temporary');
  expect(judgeHeld('/tmp/index/segment.2', false)).toBeUndefined();
  expect(judgeHeld('/app/.cache/store/data', false)).toBeUndefined();
  expect(judgeHeld('/app/.cache/other/data', false)).toBe('cache');
  expect(judgeHeld('/tmp/.attach_pid1', false)).toBeUndefined();
});

test('a temporary folder that the process works in is none', () => {
  const judgeHeld = openStateRules(planStateRules(samplePlan(), new Set(['/', '/tmp'])));
  expect(judgeHeld('/tmp/data', false)).toBeUndefined();
  expect(judgeHeld('/var/tmp/data', false)).toBe('temporary');
});

test('java.io.tmpdir, HOME and XDG_CACHE_HOME say where what is', () => {
  const plan = samplePlan({
    app: {
      javaOptions: ['-Djava.io.tmpdir=scratch'],
      environment: { HOME: '/home/app', JAVA_TOOL_OPTIONS: '-Da=b -Djava.io.tmpdir=/data/tmp' },
    },
  });
  const judgeNamed = openStateRules(planStateRules(plan, NOTHING));
  expect(judgeNamed('/app/scratch/a', false)).toBe('temporary');
  expect(judgeNamed('/data/tmp/a', false)).toBe('temporary');
  expect(judgeNamed('/home/app/.cache/a', false)).toBe('cache');
  expect(judgeNamed('/app/.cache/a', false)).toBeUndefined();
  const xdg = samplePlan({ app: { environment: { XDG_CACHE_HOME: '/data/cache' } } });
  expect(openStateRules(planStateRules(xdg, NOTHING))('/data/cache/a', false)).toBe('cache');
});

test('what the image base, and the options of the java command, say counts, and the app’s own before it', () => {
  const plan = samplePlan({ app: { environment: { HOME: '/home/app' } } });
  const base = {
    kind: 'image',
    environment: {
      HOME: '/home/base',
      XDG_CACHE_HOME: '/data/cache',
      JAVA_TOOL_OPTIONS: '-Djava.io.tmpdir=/data/tmp',
      JDK_JAVA_OPTIONS: '-Djava.io.tmpdir=/data/command-tmp',
    },
  } as unknown as ImageBase;
  const judgeOnImage = openStateRules(planStateRules({ ...plan, base }, NOTHING));
  expect(judgeOnImage('/data/cache/a', false)).toBe('cache');
  expect(judgeOnImage('/home/app/.java/fonts/a', false)).toBe('cache');
  expect(judgeOnImage('/home/base/.java/fonts/a', false)).toBeUndefined();
  expect(judgeOnImage('/data/tmp/a', false)).toBe('temporary');
  expect(judgeOnImage('/data/command-tmp/a', false)).toBe('temporary');
});

test('a temporary folder in another: what lies beside what is held in it belongs to that, and not all of the outer one', () => {
  const plan = samplePlan({ app: { javaOptions: ['-Djava.io.tmpdir=/tmp/own'] } });
  const judgeNested = openStateRules(planStateRules(plan, new Set(['/tmp/own/index/lock'])));
  expect(judgeNested('/tmp/own/index/data', false)).toBeUndefined();
  expect(judgeNested('/tmp/own/upload.tmp', false)).toBe('temporary');
  expect(judgeNested('/tmp/own/jetty-1/a.css', false)).toBeUndefined();
});

test('checkpoint.keep and checkpoint.leaveOut: globs, and folders with all in them', () => {
  const plan = samplePlan({
    checkpoint: { keep: ['/tmp/certs/', '/tmp/*.jks'], leaveOut: ['/app/logs', '/app/**/*.bak'] },
  });
  const judgeNamed = openStateRules(planStateRules(plan, new Set(['/app/logs/held.log'])));
  expect(judgeNamed('/tmp/certs/.hidden/a.pem', false)).toBeUndefined();
  expect(judgeNamed('/tmp/trust.jks', false)).toBeUndefined();
  expect(judgeNamed('/tmp/trust.pem', false)).toBe('temporary');
  expect(judgeNamed('/app/logs/2026/a.log', false)).toBe('configured');
  expect(judgeNamed('/app/logs/held.log', false)).toBeUndefined();
  expect(judgeNamed('/app/data/a.bak', false)).toBe('configured');
});

test('held paths: open and mapped files, working folders, names of unix sockets', () => {
  const entries = [
    { regular: { path: '/app/a.jar' } },
    { regular: { path: 'pipe:[1]' } },
    { unix: { name: Buffer.from('/tmp/app.sock\0'), folder: '' } },
    { unix: { name: Buffer.from('own.sock'), folder: '/tmp/run' } },
    { unix: { name: Buffer.from('\0abstract'), folder: '' } },
    { unix: { name: Buffer.alloc(0), folder: '' } },
    {},
  ] as unknown as FileEntry[];
  const files = new Map(entries.map((entry, id) => [id, entry]));
  expect([...listHeldPaths({ files })]).toEqual(['/app/a.jar', '/tmp/app.sock', '/tmp/run/own.sock']);
});
