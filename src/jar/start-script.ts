/** What a start script of Gradle's application plugin says: `build/install/NAME/bin/NAME`. */
export interface StartScript {
  /** Relative to the installation: "lib/orders.jar". */
  readonly classPath: readonly string[];
  readonly mainClass: string;
  /** DEFAULT_JVM_OPTS; "$APP_HOME" in them is the installation. */
  readonly javaOptions: readonly string[];
}

/**
 * Undefined for what is no such script. Gradle writes `CLASSPATH=$APP_HOME/lib/a.jar:…`, and the main class as the word
 * after `-classpath "$CLASSPATH"`, on the same line or the next, as older releases do.
 */
export function parseStartScript(text: string): StartScript | undefined {
  const classPath = /^CLASSPATH=(.*)$/m.exec(text)?.[1];
  const mainClass = /-classpath\s+(?:"\\?"?)?\$CLASSPATH(?:\\?""?)?\s+(?:\\\n\s*)?([\w$]+(?:\.[\w$]+)*)/.exec(
    text,
  )?.[1];
  if (classPath === undefined || mainClass === undefined) return undefined;
  const entries = unquote(classPath).split(':');
  return {
    classPath: entries.flatMap((entry) => /^\$APP_HOME\/(.+)$/.exec(entry)?.[1] ?? []),
    mainClass,
    javaOptions: parseOptions(/^DEFAULT_JVM_OPTS=(.*)$/m.exec(text)?.[1] ?? ''),
  };
}

/** `'"-Xmx64m" "-Dhome=$APP_HOME/lib"'`: a shell's text of words in double quotes. */
function parseOptions(value: string): readonly string[] {
  return [...unquote(value).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word.replaceAll(/\\(.)/g, '$1'));
}

function unquote(value: string): string {
  return value
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
    .replaceAll(`'"'"'`, `'`);
}
