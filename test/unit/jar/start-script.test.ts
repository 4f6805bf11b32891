import { parseStartScript } from '../../../src/jar/start-script.ts';

const CLASSPATH = 'CLASSPATH=$APP_HOME/lib/a.jar:$APP_HOME/lib/b.jar\n';
const classPath = ['lib/a.jar', 'lib/b.jar'];

test.each([
  ['Gradle 8', 'set -- \\\n        -classpath "$CLASSPATH" \\\n        com.example.App \\\n        "$@"\n'],
  [
    'Gradle 8 with properties before',
    'set -- \\\n  "-Dname=x" \\\n  -classpath "$CLASSPATH" \\\n  com.example.App \\\n',
  ],
  ['Gradle 5', 'eval set -- $DEFAULT_JVM_OPTS $JAVA_OPTS -classpath "\\"$CLASSPATH\\"" com.example.App "$APP_ARGS"\n'],
  ['Gradle 2', 'exec "$JAVACMD" "$JVM_OPTS" -classpath "$CLASSPATH" com.example.App "$@"\n'],
])('%s', (_, line) => {
  expect(parseStartScript(`#!/bin/sh\nDEFAULT_JVM_OPTS=""\n${CLASSPATH}${line}`)).toEqual({
    classPath,
    mainClass: 'com.example.App',
    javaOptions: [],
  });
});

test('other scripts are none of Gradle’s', () => {
  expect(parseStartScript('#!/bin/sh\nexec java -jar app.jar\n')).toBeUndefined();
  expect(parseStartScript(CLASSPATH)).toBeUndefined();
  expect(parseStartScript('')).toBeUndefined();
});
