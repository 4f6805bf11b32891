import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { closestWord } from './closest-word.ts';
import type { ConfigFile } from './parse-config.ts';
import { isReadyName, listReadyScripts } from './ready-scripts.ts';
import type { Settings } from './settings.ts';

type WarmUp = NonNullable<Settings['warmUp']>;
type Scenario = NonNullable<WarmUp['scenarios']>[number];
type Service = NonNullable<WarmUp['services']>[number];
type Step = NonNullable<Scenario['steps']>[number];
type Request = Pick<Step, 'bodyFile' | 'form'>;
type Key = readonly (string | number)[];

/** Files that `readiness` and `warmUp` name: paths become absolute, JSON schemas are read. CONFIG_INVALID, with the line, for one that is not there. */
export async function findWarmUpFiles(settings: Settings, file: ConfigFile, folder: string): Promise<Settings> {
  const { readiness, warmUp } = settings;
  const find = async (key: Key, path: string): Promise<string> => {
    const found = resolve(folder, path);
    const stats = await stat(found).catch(() => undefined);
    if (stats?.isFile() !== true) {
      const what = stats === undefined ? `there is no ${found}` : `${found} is not a file`;
      throw new CracBuildError('CONFIG_INVALID', `${file.locate(key)}: ${what}`, {
        hint: 'Paths in a config file count from its own folder.',
      });
    }
    return found;
  };

  const findTls = async (key: Key, tls: WarmUp['tls']): Promise<{ readonly tls?: WarmUp['tls'] }> => {
    if (typeof tls !== 'object' || tls.ca === undefined) return tls === undefined ? {} : { tls };
    const place = [...key, 'ca'];
    const ca = await find(place, tls.ca);
    requireCertificate(await readFile(ca), ca, file.locate(place));
    return { tls: { ...tls, ca } };
  };

  const findBody = async <T extends Request>(key: Key, request: T): Promise<T> => {
    const { bodyFile, form } = request;
    if (bodyFile !== undefined) return { ...request, bodyFile: await find([...key, 'bodyFile'], bodyFile) };
    if (form === undefined) return request;
    const fields = Object.entries(form).map(async ([name, value]) => {
      const isText = typeof value === 'string';
      return [name, isText ? value : { ...value, file: await find([...key, 'form', name, 'file'], value.file) }];
    });
    return { ...request, form: Object.fromEntries(await Promise.all(fields)) };
  };

  const findStep = async (key: Key, step: Step): Promise<Step> => {
    const { expect, ...rest } = await findBody(key, step);
    if (typeof expect?.json !== 'string') return { ...rest, ...(expect && { expect }) };
    const place = [...key, 'expect', 'json'];
    const path = await find(place, expect.json);
    return {
      ...rest,
      expect: { ...expect, json: parseSchema(await readFile(path, 'utf8'), path, file.locate(place)) },
    };
  };

  /** Words such as `./broker`: a process begins in a folder of its own. */
  const resolveWord = (word: string): string => (/^\.{1,2}\//.test(word) ? resolve(folder, word) : word);

  /** `oci:DIR`; what else an image is called is the engine's. */
  const findService = async (index: number, given: Service): Promise<Service> => {
    const service = given.process === undefined ? given : { ...given, process: given.process.map(resolveWord) };
    const dir = /^oci:(.+)$/.exec(service.image ?? '')?.[1];
    if (dir === undefined) return service;
    await find(['warmUp', 'services', index, 'image'], join(dir, 'index.json'));
    return { ...service, image: `oci:${resolve(folder, dir)}` };
  };

  const findScenario = async (key: Key, { steps, script, ...scenario }: Scenario): Promise<Scenario> => ({
    ...scenario,
    ...(steps && { steps: await mapAll(steps, (step, index) => findStep([...key, 'steps', index], step)) }),
    ...(script !== undefined && { script: await findScript([...key, 'script'], script) }),
  });

  const findScript = async (key: Key, script: string): Promise<string> => {
    if (!isReadyName(script)) return await find(key, script);
    const ready = await listReadyScripts();
    const path = ready.get(script);
    if (path !== undefined) return path;
    const names = [...ready.keys()];
    const near = closestWord(script, names);
    throw new CracBuildError('CONFIG_INVALID', `${file.locate(key)}: there is no ready script "${script}"`, {
      hint:
        near === undefined
          ? `There are ${names.join(', ')}; a file of your own has an ending, as in ./${script}.ts.`
          : `Did you mean "${near}"?`,
    });
  };

  return {
    ...settings,
    ...(readiness && { readiness: { ...readiness, ...(await findTls(['readiness', 'tls'], readiness.tls)) } }),
    ...(warmUp && {
      warmUp: {
        ...warmUp,
        ...(await findTls(['warmUp', 'tls'], warmUp.tls)),
        ...(warmUp.requests && {
          requests: await mapAll(warmUp.requests, (one, index) => findBody(['warmUp', 'requests', index], one)),
        }),
        ...(warmUp.services && { services: await mapAll(warmUp.services, (one, index) => findService(index, one)) }),
        ...(warmUp.scenarios && {
          scenarios: await mapAll(warmUp.scenarios, (one, index) => findScenario(['warmUp', 'scenarios', index], one)),
        }),
      },
    }),
  };
}

async function mapAll<T>(items: readonly T[], map: (item: T, index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(items.map(map));
}

/** Node.js would trust nobody, without a word. */
function requireCertificate(pem: Buffer, path: string, place: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new CracBuildError('CONFIG_INVALID', `${place}: ${path} holds no certificate`, {
      hint: 'Give the certificate of the authority, or the app’s own, in PEM form.',
      cause,
    });
  }
}

function parseSchema(text: string, path: string, place: string): Record<string, unknown> {
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return { ...schema };
  } catch (cause) {
    throw new CracBuildError('CONFIG_INVALID', `${place}: ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  throw new CracBuildError('CONFIG_INVALID', `${place}: ${path} is not a JSON schema: it holds no object`);
}
