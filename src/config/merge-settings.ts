import type { Settings } from './settings.ts';

/** Flags over file: a flag replaces the file's value, whole lists included; environment variables are merged by name; a path that is to be asked replaces another form of readiness. */
export function mergeSettings(file: Settings, flags: Settings): Settings {
  const merged = { ...file, ...withoutUndefined(flags) } as Settings;
  for (const section of ['app', 'readiness', 'warmUp', 'checkpoint', 'verify', 'image', 'attestations'] as const) {
    if (file[section] === undefined || flags[section] === undefined) continue;
    Object.assign(merged, { [section]: { ...file[section], ...withoutUndefined(flags[section]) } });
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
