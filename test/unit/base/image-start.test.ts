import { inspectStart } from '../../../src/base/image-start.ts';
import { findStayingParent } from '../../../src/base/shell-script.ts';
import { makeElf, makeRoot } from './made-up-root.ts';

const ROOT = {
  'usr/bin/java': '-> /opt/jdk/bin/java',
  'opt/jdk/bin/java': makeElf(),
  'usr/bin/dash': makeElf(),
  'bin/sh': '-> /usr/bin/dash',
  'usr/bin/env': makeElf(),
  'usr/bin/tini': makeElf(),
  'usr/bin/python3': makeElf(),
};

function inspect(entrypoint: readonly string[], command: readonly string[] = [], files = {}, workingDir = '/srv') {
  const place = { source: 'docker:shop', environment: {}, workingDir, entrypoint, command };
  return inspectStart(makeRoot({ ...ROOT, ...files }), place);
}

function refusal(...args: Parameters<typeof inspect>) {
  try {
    inspect(...args);
  } catch (error) {
    expect(error).toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(/./) });
    return error as Error & { hint: string };
  }
  throw new Error('nothing was refused');
}

test('java itself, looked up in PATH, over links', () => {
  expect(inspect(['java', '-jar'], ['/app.jar'])).toEqual({
    argv: ['/usr/bin/java', '-jar', '/app.jar'],
    kind: 'java',
    entrypointLength: 2,
  });
});

test('a script that becomes Java, beside the working folder', () => {
  const files = { 'srv/run.sh': '#!/bin/sh\ncd /srv\nexec java $JAVA_OPTS -jar app.jar "$@"\n' };
  expect(inspect(['./run.sh'], ['--fast'], files)).toMatchObject({ argv: ['/srv/run.sh', '--fast'], kind: 'wrapper' });
  expect(inspect(['sh', 'run.sh'], [], files)).toMatchObject({ argv: ['/bin/sh', 'run.sh'], kind: 'wrapper' });
});

test('a script that stays the parent is refused with the line to change', () => {
  const script = '#!/bin/bash\n# java is started here\nset -e\n"$JAVA_HOME/bin/java" -Xmx64m -jar /app.jar "$@"\n';
  const { message, hint } = refusal(['/run.sh'], [], { 'run.sh': script });
  expect(message).toBe(
    'the entrypoint of docker:shop stays the parent of the JVM: /run.sh:4: `"$JAVA_HOME/bin/java" -Xmx64m -jar /app.jar "$@"`, make it `exec "$JAVA_HOME/bin/java" -Xmx64m -jar /app.jar "$@"`',
  );
  expect(hint).toContain('exec java');
});

test('a shell’s command may become the JVM: that is seen when it runs', () => {
  expect(inspect(['/bin/sh', '-c', 'java -jar /app.jar'])).toMatchObject({
    kind: 'wrapper',
    suspect: 'its command:1: `java -jar /app.jar`, make it `exec java -jar /app.jar`',
  });
});

test('the launcher of buildpacks becomes what it starts', () => {
  const files = { 'cnb/lifecycle/launcher': makeElf(), 'cnb/process/web': '-> /cnb/lifecycle/launcher' };
  expect(inspect(['/cnb/process/web'], [], files)).toMatchObject({ argv: ['/cnb/process/web'], kind: 'wrapper' });
  expect(() => inspect(['/launcher'], [], { launcher: makeElf() })).toThrow(/is neither `java` nor a script/);
});

test('an init that stays is refused with what to write instead', () => {
  const { message, hint } = refusal(['tini', '--', 'java', '-jar', 'a.jar']);
  expect(message).toMatch(/its entrypoint is tini, which stays the parent/);
  expect(hint).toContain('ENTRYPOINT ["java","-jar","a.jar"]');
});

test('what starts no Java', () => {
  expect(refusal([]).message).toMatch(/neither an entrypoint nor a command$/);
  expect(refusal(['gone']).message).toMatch(/its entrypoint gone is not in it$/);
  expect(refusal(['python3', 'app.py']).message).toMatch(
    /python3 app\.py is neither `java` nor a script that starts it$/,
  );
  expect(refusal(['sh']).message).toMatch(/starts a shell and nothing else$/);
  expect(inspect(['env', 'A=1', 'java']).kind).toBe('wrapper');
});

test.each([
  ['java -jar a.jar', 'exec java -jar a.jar'],
  ['  JAVA_X=1 /usr/bin/java -jar a.jar &', 'JAVA_X=1 exec /usr/bin/java -jar a.jar'],
  ['cd /srv && java -jar a.jar', 'cd /srv && exec java -jar a.jar'],
  ['if true; then $JAVA -jar a.jar; fi', 'if true; then exec $JAVA -jar a.jar; fi'],
  [`start() { "$${'{JAVACMD}'}" -jar a.jar; }`, `start() { exec "$${'{JAVACMD}'}" -jar a.jar; }`],
])('%s', (line, better) => {
  expect(findStayingParent(`#!/bin/sh\n${line}\n`)).toMatchObject({ line: 2, better });
});

test.each([
  'exec java -jar a.jar',
  '# java -jar a.jar',
  'java -version',
  'JAVA=/usr/bin/java',
  'echo java',
  'javac A.java',
])('%s starts nothing that stays', (line) => {
  expect(findStayingParent(`#!/bin/sh\n${line}\n`)).toBeUndefined();
});
