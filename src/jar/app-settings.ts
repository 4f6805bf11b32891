import { type Properties, parseProperties, parseYamlProperties } from './properties.ts';

export interface ConfigText {
  /** Its path in the jar. */
  readonly name: string;
  readonly text: string;
}

export interface AppSetting {
  readonly value: string;
  /** The file in the jar that has it. */
  readonly from: string;
}

/** Looks up what an app's own configuration says; undefined where it is said at run time only, too. */
export type AppSettings = (key: string) => AppSetting | undefined;

/** Later ones win: files of a config/ folder over those beside it, .properties over YAML. */
const CONFIG_FILE =
  /^(?:BOOT-INF\/classes\/|WEB-INF\/classes\/)?(?:META-INF\/|config\/)?(?:application|microprofile-config)\.(?:properties|ya?ml)$/;

export function isConfigFile(path: string): boolean {
  return CONFIG_FILE.test(path);
}

export function readAppSettings(configs: readonly ConfigText[]): AppSettings {
  const rank = ({ name }: ConfigText) => (name.includes('config/') ? 2 : 0) + (name.endsWith('.properties') ? 1 : 0);
  const settings = new Map<string, AppSetting>();
  for (const config of configs.toSorted((a, b) => rank(a) - rank(b))) {
    for (const [key, value] of parseConfigText(config)) settings.set(canonical(key), { value, from: config.name });
  }
  const lookUp = (key: string, depth: number): AppSetting | undefined => {
    const found = settings.get(canonical(`%prod.${key}`)) ?? settings.get(canonical(key));
    if (found === undefined) return undefined;
    const value = resolvePlaceholders(found.value, (name) =>
      depth < MAX_DEPTH ? lookUp(name, depth + 1)?.value : undefined,
    );
    return value === undefined ? undefined : { ...found, value };
  };
  return (key) => lookUp(key, 0);
}

/** A placeholder may lead to another, and in a damaged file back to itself. */
const MAX_DEPTH = 8;

function parseConfigText({ name, text }: ConfigText): Properties {
  return name.endsWith('.properties') ? parseProperties(text) : parseYamlProperties(text);
}

/** Spring binds "context-path", "contextPath" and "CONTEXT_PATH" alike; the others write keys one way only. */
function canonical(key: string): string {
  return key.toLowerCase().replaceAll(/[-_]/g, '');
}

/** "${PORT:8080}" → "8080"; undefined where a name has neither value nor default. */
function resolvePlaceholders(text: string, lookUp: (name: string) => string | undefined): string | undefined {
  let isKnown = true;
  const resolved = text.replaceAll(/\$\{([^:}]+)(?::([^}]*))?\}/g, (_, name: string, otherwise: string | undefined) => {
    const value = lookUp(name) ?? otherwise;
    isKnown &&= value !== undefined;
    return value ?? '';
  });
  return isKnown ? resolved : undefined;
}
