import { type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema';
import { type Answer, readHeader, readText } from './answer.ts';
import type { Expectation, JsonSchema } from './scenario.ts';
import { fillText, type Values } from './template.ts';
import { type Asked, UnexpectedAnswer } from './unexpected-answer.ts';

/** Throws UnexpectedAnswer unless the answer is as `step.expect` says. Without `values`, its texts are taken as they are. */
export function checkAnswer(step: Asked & { readonly expect: Expectation }, answer: Answer, values?: Values): void {
  const difference = findDifference(step.expect, answer, (text) =>
    values === undefined ? text : fillText(text, values),
  );
  if (difference !== undefined) throw new UnexpectedAnswer(step, difference, answer);
}

function findDifference(expect: Expectation, answer: Answer, fill: (text: string) => string): string | undefined {
  if (answer.status !== expect.status) return `${answer.status} instead of ${expect.status}`;
  for (const [name, wanted] of Object.entries(expect.headers)) {
    const value = readHeader(answer, name);
    const expected = fill(wanted);
    if (value === undefined) return `without the header ${name}`;
    if (value !== expected) return `with ${name}: ${value} instead of ${expected}`;
  }
  if (expect.contains !== undefined) {
    const contained = fill(expect.contains);
    if (!readText(answer).includes(contained)) return `without ${JSON.stringify(contained)}`;
  }
  return expect.json === undefined ? undefined : findMisfit(expect.json, readText(answer));
}

function findMisfit(schema: JsonSchema, text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `something else than JSON: ${(error as Error).message}`;
  }
  try {
    const { valid, errors } = validatorFor(schema).validate(value);
    if (valid) return undefined;
    /** The last is the innermost. */
    const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: '#', error: '' };
    return `JSON that does not fit its schema: at ${instanceLocation.slice(1) || '/'}: ${error}`;
  } catch (error) {
    /** An unknown $ref, a broken pattern: seen only where they are reached. */
    return `JSON to which its schema cannot be applied: ${(error as Error).message.split('\n')[0]}`;
  }
}

const validators = new WeakMap<JsonSchema, Validator>();

function validatorFor(schema: JsonSchema): Validator {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const validator = new Validator(schema as Schema, findDraft(schema));
  validators.set(schema, validator);
  return validator;
}

function findDraft({ $schema }: JsonSchema): SchemaDraft {
  const draft = /draft-0?(4|7)\b|(2019-09|2020-12)/.exec(`${$schema ?? ''}`);
  return (draft?.[1] ?? draft?.[2] ?? '2020-12') as SchemaDraft;
}
