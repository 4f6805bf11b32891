export interface StartLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** What to write instead. */
  readonly better: string;
}

/**
 * A word that stands where a command stands and looks like Java: `java`, `/usr/bin/java`, `"$JAVA_HOME/bin/java"`, `$JAVA`, `"${JAVACMD}"`.
 * Before it may stand variables that are set for it alone.
 */
const JAVA_WORD = String.raw`(?:"[^"]*\bjava"|[^\s"'=;&|()]*\bjava|"?\$\{?JAVA(?:CMD|_BIN|_CMD|_EXE)?\}?"?)`;
const START = new RegExp(String.raw`^(\s*(?:(?:[\w]+=\S*)\s+)*)(${JAVA_WORD})(?=\s|$)(?!\s*=)`);

/** The last line that starts Java and goes on behind it: without `exec`. Undefined: none was seen, which says little of intricate scripts. */
export function findStayingParent(text: string): StartLine | undefined {
  const lines = text.split('\n');
  let found: StartLine | undefined;
  for (const [index, line] of lines.entries()) {
    if (/^\s*#/.test(line)) continue;
    let offset = 0;
    for (const part of line.split(/(&&|\|\||;|\bthen\b|\bdo\b|\belse\b|(?<!\$)\{)/)) {
      const match = START.exec(part);
      const isQuestion = /\s-{1,2}version\b/.test(part); // asks, and does not start anything
      if (match !== null && !isQuestion) {
        const at = offset + (match[1]?.length ?? 0);
        const better = `${line.slice(0, at)}exec ${line.slice(at)}`.replace(/\s*&\s*$/, '').trim();
        found = { line: index + 1, text: line.trim(), better };
      }
      offset += part.length;
    }
  }
  return found;
}
