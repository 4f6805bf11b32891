import type { Settings } from './settings.ts';

/** The forms in which an app can be named; one of them at a time. */
const SOURCES = ['jar', 'classPath', 'image', 'dockerfile'] as const;

export function namesApp({ app }: Settings): boolean {
  return SOURCES.some((key) => app?.[key] !== undefined);
}

/** Flags over file: a flag replaces the file's value, whole lists included; environment variables are merged by name; a path that is to be asked replaces another form of readiness, and an app another app. */
export function mergeSettings(file: Settings, flags: Settings): Settings {
  const merged = { ...file, ...withoutUndefined(flags) } as Settings;
  for (const section of ['app', 'readiness', 'warmUp', 'checkpoint', 'verify', 'image', 'attestations'] as const) {
    if (file[section] === undefined || flags[section] === undefined) continue;
    Object.assign(merged, { [section]: { ...file[section], ...withoutUndefined(flags[section]) } });
  }
  const named = SOURCES.filter((key) => flags.app?.[key] !== undefined);
  if (merged.app !== undefined && named.length > 0) {
    const isReplaced = (key: string) =>
      key === 'mainClass'
        ? flags.app?.mainClass === undefined
        : SOURCES.some((one) => one === key) && !named.some((one) => one === key);
    Object.assign(merged, { app: Object.fromEntries(Object.entries(merged.app).filter(([key]) => !isReplaced(key))) });
  }
  /** Arguments and target may be given for the file's Dockerfile. */
  if (file.app?.dockerfile !== undefined && flags.app?.dockerfile !== undefined) {
    Object.assign(merged, { app: { ...merged.app, dockerfile: { ...file.app.dockerfile, ...flags.app.dockerfile } } });
  }
  if (flags.readiness?.path !== undefined) {
    const { tcp: _, log: _log, command: _command, ...http } = merged.readiness ?? {};
    Object.assign(merged, { readiness: http });
  }
  if (file.app?.environment !== undefined && flags.app?.environment !== undefined) {
    return { ...merged, app: { ...merged.app, environment: { ...file.app.environment, ...flags.app.environment } } };
  }
  return merged;
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
