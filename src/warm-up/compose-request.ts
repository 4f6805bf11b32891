import { FormData } from 'undici';
import type { Body, FormFile, Step } from './scenario.ts';
import { fillJson, fillText, type Values } from './template.ts';

export interface ComposedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | FormData | null;
}

/** Bytes of files that requests send, by path. */
export type SentFiles = ReadonlyMap<string, Uint8Array>;

export function composeRequest(step: Step, values: Values, files: SentFiles): ComposedRequest {
  const { type, body } = composeBody(step.body, values, files);
  const headers = Object.fromEntries(
    Object.entries(step.headers).map(([name, value]) => [name.toLowerCase(), fillText(value, values)]),
  );
  return {
    method: step.method,
    path: composePath(fillText(step.path, values)),
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...headers },
    body,
  };
}

/** Paths of all files that `body` sends. */
export function listFiles(body: Body | undefined): readonly string[] {
  if (body?.kind === 'file') return [body.path];
  if (body?.kind !== 'multipart') return [];
  return Object.values(body.fields).flatMap((value) => (typeof value === 'string' ? [] : [value.file]));
}

/** A `location` may be a whole URL, with a host under which only others reach the app. Spaces and the like are encoded, what is encoded stays. */
export function composePath(filled: string): string {
  const path = filled.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  const rooted = path.startsWith('/') ? path : `/${path}`;
  return rooted.replaceAll(/[^!-~]|["<>\\^`{|}]/gu, encodeURIComponent);
}

function composeBody(
  body: Body | undefined,
  values: Values,
  files: SentFiles,
): { readonly type?: string; readonly body: ComposedRequest['body'] } {
  switch (body?.kind) {
    case undefined:
      return { body: null };
    case 'text':
      return { body: fillText(body.text, values) };
    case 'json':
      return { type: 'application/json', body: JSON.stringify(fillJson(body.value, values)) };
    case 'form': {
      const fields = Object.entries(body.fields).map(([name, value]): [string, string] => [
        name,
        fillText(value, values),
      ]);
      return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(fields).toString() };
    }
    case 'multipart':
      return { body: composeMultipart(body.fields, values, files) };
    case 'file':
      return { body: readFrom(files, body.path) };
  }
}

function composeMultipart(
  fields: Readonly<Record<string, string | FormFile>>,
  values: Values,
  files: SentFiles,
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, fillText(value, values));
    else {
      const content = new Blob([readFrom(files, value.file)], { type: value.type });
      form.append(name, content, value.file.split('/').at(-1));
    }
  }
  return form;
}

function readFrom(files: SentFiles, path: string): Uint8Array<ArrayBuffer> {
  const content = files.get(path);
  if (content === undefined) throw new Error(`${path} was not read`);
  return new Uint8Array(content);
}
