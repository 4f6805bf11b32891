import { type Answer, readHeader, readText } from './answer.ts';
import { nameEndpoint, type Step } from './scenario.ts';

/** What is told of who asked. */
export type Asked = Pick<Step, 'method' | 'path' | 'capture'> & { readonly expect: Pick<Step['expect'], 'headers'> };

/** What often says why. */
const TELLING_HEADERS = ['content-type', 'location', 'www-authenticate', 'retry-after', 'server'];
const SHOWN_CHARACTERS = 500;

/** An answer that is not as the step expects, or from which a value was to be captured that is not there. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  /** What was asked, status, telling headers and the first characters of the body, to be shown. */
  readonly lines: readonly string[];
  /** "GET /orders/{{id}}". */
  readonly endpoint: string;

  /** `difference`: "500 instead of 200". */
  constructor(step: Asked, difference: string, answer: Answer) {
    super(`${nameEndpoint(step)} answered ${difference}`);
    this.endpoint = nameEndpoint(step);
    const captured = Object.values(step.capture).flatMap((one) => (one.kind === 'header' ? [one.name] : []));
    const asked = answer.path === step.path ? [] : [`asked: ${step.method} ${answer.path}`];
    this.lines = [
      ...asked,
      ...renderAnswer(answer, [...TELLING_HEADERS, ...Object.keys(step.expect.headers), ...captured]),
    ];
  }
}

function renderAnswer(answer: Answer, names: readonly string[]): readonly string[] {
  const headers = [...new Set(names.map((name) => name.toLowerCase()))].flatMap((name) => {
    const value = readHeader(answer, name);
    return value === undefined ? [] : [`  ${name}: ${value}`];
  });
  const text = readText(answer);
  const shown = text.slice(0, SHOWN_CHARACTERS).trimEnd();
  return [
    `answer: ${answer.status}`,
    ...headers,
    ...shown.split('\n').flatMap((line) => (line.trim() === '' ? [] : [`  ${line.trimEnd()}`])),
    ...(text.length > SHOWN_CHARACTERS ? [`  … ${text.length - SHOWN_CHARACTERS} more characters`] : []),
  ];
}
