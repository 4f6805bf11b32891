import type { BuildPlan } from '../plan/build-plan.ts';

/** Whether the app is in the base, with an entrypoint of its own. */
export function isImageApp({ app }: { readonly app: Pick<BuildPlan['app'], 'source'> }): boolean {
  return app.source === undefined;
}
