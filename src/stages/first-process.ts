import { staysParent } from '../base/image-start.ts';
import { askStatus } from '../criu/control.ts';
import type { Container } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { isImageApp } from './image-app.ts';

const LAST_LINES = 30;

/** Of an app that is an image, once its JVM runs: whether the first process is that JVM. INPUT_INVALID with what to change where it is not. */
export async function requireFirstProcess(plan: BuildPlan, container: Container, signal: AbortSignal): Promise<void> {
  const { app, base, command } = plan;
  if (!isImageApp(plan) || base.kind !== 'image') return;
  if ((await askStatus(container, app.user, signal, 1)) !== undefined) return;
  if ((await askStatus(container, app.user, signal)) !== undefined) throw staysParent(base.source, command.suspect);
  const words = command.argv.join(' ');
  throw new CracBuildError('INPUT_INVALID', `no JVM of ${base.source} has taken up crac-build’s agent (${words})`, {
    hint: 'The entrypoint must start Java as its own user and leave JDK_JAVA_OPTIONS as it is. Name that user with app.user (--user) where it is another one.',
    details: await container.lastLines(LAST_LINES),
  });
}

/** The same of a JVM that has asked for its checkpoint. */
export function requireFirst({ base, command }: BuildPlan, pid: number): void {
  if (pid !== 1 && base.kind === 'image') throw staysParent(base.source, command.suspect);
}
