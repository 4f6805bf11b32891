import { join } from 'node:path';
import { writeBundle } from './bundle.ts';
import { type composeCold, composeVariant, type MeasuredApp, type Variant } from './measured-app.ts';
import { runCommand } from './run-command.ts';

/** The same start through `crun run`. */
export async function composeContainerVariant(
  app: MeasuredApp,
  key: string,
  command: ReturnType<typeof composeCold>,
): Promise<Variant> {
  const crun = (await runCommand(['sh', '-c', 'command -v crun'])).trim();
  const runtime = [crun, '--root', join(app.dir, 'crun'), '--cgroup-manager=disabled'];
  const bundle = join(app.dir, `bundle-${key}`);
  await writeBundle(bundle, app.image, command);
  const run = { argv: [...runtime, 'run', '--bundle', bundle, key], environment: [] };
  const { start } = composeVariant(app, key, run, { outside: true });
  return {
    key,
    start: async () => {
      try {
        return await start();
      } finally {
        await runCommand([...runtime, 'delete', '--force', key]);
      }
    },
  };
}
