import type { z } from 'zod';
import { closestWord } from './closest-word.ts';

type Path = readonly PropertyKey[];

/** The keys that an object at `path` may have, as the schema says. */
export function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  const [head, ...rest] = path;
  const bare = unwrap(schema);
  if (head === undefined) return Object.keys(shapeOf(bare));
  const next = typeof head === 'number' ? elementOf(bare) : shapeOf(bare)[String(head)];
  return next === undefined ? [] : keysAt(next, rest);
}

/** `"warmUp"` for "warmup"; `"app.jar"` for a "jar" that stands at the wrong place. */
export function suggestKey(schema: z.ZodType, path: Path, key: string): string | undefined {
  const near = closestWord(key, keysAt(schema, path));
  if (near !== undefined) return near;
  return everyKey(schema, []).find((dotted) => dotted.split('.').at(-1)?.toLowerCase() === key.toLowerCase());
}

function everyKey(schema: z.ZodType, prefix: readonly string[]): readonly string[] {
  return Object.entries(shapeOf(unwrap(schema))).flatMap(([key, value]) => {
    const dotted = [...prefix, key];
    return [dotted.join('.'), ...everyKey(value, dotted)];
  });
}

/** Through `optional()` and `preprocess()`. */
function unwrap(schema: z.ZodType): z.ZodType {
  const { def } = schema as unknown as { def: { type: string; innerType?: z.ZodType; out?: z.ZodType } };
  if (def.type === 'optional' && def.innerType !== undefined) return unwrap(def.innerType);
  if (def.type === 'pipe' && def.out !== undefined) return unwrap(def.out);
  return schema;
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return (schema as unknown as { shape?: Record<string, z.ZodType> }).shape ?? {};
}

function elementOf(schema: z.ZodType): z.ZodType | undefined {
  return (schema as unknown as { element?: z.ZodType }).element;
}
