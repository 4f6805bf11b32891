import { importAccessLog } from './import-access-log.ts';
import { importHar } from './import-har.ts';
import { importOpenApi } from './import-openapi.ts';
import type { Imported } from './imported.ts';
import { readImportedText } from './read-text.ts';

export interface ImportOptions {
  /** Files, as they were given. */
  readonly har?: string;
  readonly openApi?: string;
  readonly accessLog?: string;
  readonly host?: string;
  readonly top: number;
  readonly includeWrites: boolean;
  readonly includeAssets: boolean;
  readonly keepThinkTimes: boolean;
}

/** Reads what was given to be imported, in the order of the flags in --help. */
export async function importScenarios(options: ImportOptions): Promise<readonly Imported[]> {
  const { har, openApi, accessLog, host, top, includeWrites, includeAssets, keepThinkTimes } = options;
  const imports: Imported[] = [];
  if (har !== undefined) {
    const text = await readImportedText(har, '--from-har');
    imports.push(
      importHar(text, har, { ...(host === undefined ? {} : { host }), keepAssets: includeAssets, keepThinkTimes }),
    );
  }
  if (openApi !== undefined) {
    imports.push(importOpenApi(await readImportedText(openApi, '--from-openapi'), openApi, { includeWrites }));
  }
  if (accessLog !== undefined) {
    imports.push(await importAccessLog(accessLog, { top, includeWrites, keepAssets: includeAssets }));
  }
  return imports;
}
