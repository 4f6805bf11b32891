import type { Thrown } from './script-messages.ts';

/** How the file ends that a script is made into; its own lines are told by the source map. */
export const BUNDLE_NAME = 'script-bundle.mjs';
const SHOWN_FRAMES = 5;

/** A script that threw, or that could not be run. */
export class ScriptFailed extends Error {
  override readonly name = 'ScriptFailed';
  /** Of the answer that was wrong, and where it was asked for. */
  readonly lines: readonly string[];

  /** `path`: of the script. */
  constructor(path: string, { name, message, stack, lines }: Thrown) {
    const frames = findFrames(stack);
    const place = /([^ (]+:\d+):\d+\)?$/.exec(frames[0] ?? '')?.[1] ?? path;
    super(`the script failed at ${place}: ${PLAIN_NAMES.includes(name) ? '' : `${name}: `}${message}`);
    this.lines = [...lines, ...frames.slice(0, SHOWN_FRAMES).map((frame) => `  ${frame}`)];
  }
}

/** That say no more than the message. */
const PLAIN_NAMES = ['Error', 'UnexpectedAnswer', 'NoAnswer'];

/** Of the user's own files: "at (/work/warm-up.ts:3:9)". */
function findFrames(stack: string): readonly string[] {
  return stack
    .split('\n')
    .map((line) => line.trim().replace('file://', ''))
    .filter(
      (line) =>
        /^at .*\/.*:\d+:\d+\)?$/.test(line) &&
        !/node:|node_modules|script-host\.[jt]s/.test(line) &&
        !line.includes(BUNDLE_NAME),
    );
}
