/** Keeps the last lines of several byte streams in the order in which they came. */
export interface LineRing {
  /** One for each stream; its last, unfinished line is kept apart. */
  openWriter(): (chunk: Buffer) => void;
  lastLines(count: number): readonly string[];
}

const MAX_LINE_LENGTH = 4096;

export function createLineRing(capacity = 1000): LineRing {
  const lines: string[] = [];
  const unfinished: (() => string)[] = [];
  return {
    openWriter() {
      let rest = '';
      unfinished.push(() => rest);
      const decoder = new TextDecoder();
      return (chunk) => {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = (parts.pop() ?? '').slice(-MAX_LINE_LENGTH);
        lines.push(...parts.map((line) => line.replace(/\r$/, '').slice(0, MAX_LINE_LENGTH)));
        if (lines.length > capacity) lines.splice(0, lines.length - capacity);
      };
    },
    lastLines: (count) => [...lines, ...unfinished.map((read) => read()).filter((line) => line !== '')].slice(-count),
  };
}
