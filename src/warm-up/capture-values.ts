import { type JsonValue, query } from 'jsonpath-rfc9535';
import { type Answer, readHeader, readText } from './answer.ts';
import type { Capture, Step } from './scenario.ts';
import type { Values } from './template.ts';
import { UnexpectedAnswer } from './unexpected-answer.ts';

/** What `step.capture` finds in the answer, by name; UnexpectedAnswer where a value is not there. */
export function captureValues(step: Step, answer: Answer): Values {
  return Object.fromEntries(
    Object.entries(step.capture).map(([name, capture]) => {
      const found = findValue(capture, answer);
      if (found === undefined)
        throw new UnexpectedAnswer(
          step,
          `without what {{${name}}} is captured from: ${describeCapture(capture)}`,
          answer,
        );
      return [name, found];
    }),
  );
}

export function findValue(capture: Capture, answer: Answer): unknown {
  switch (capture.kind) {
    case 'json':
      return findInJson(readText(answer), capture.path);
    case 'header':
      return readHeader(answer, capture.name);
    case 'regex': {
      const match = new RegExp(capture.pattern, capture.flags).exec(readText(answer));
      return match?.[1] ?? match?.[0];
    }
  }
}

function findInJson(text: string, path: string): unknown {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return query(value, path)[0];
}

export function describeCapture(capture: Capture): string {
  switch (capture.kind) {
    case 'json':
      return `JSON path ${capture.path}`;
    case 'header':
      return `header ${capture.name}`;
    case 'regex':
      return `regular expression /${capture.pattern}/${capture.flags ?? ''}`;
  }
}
