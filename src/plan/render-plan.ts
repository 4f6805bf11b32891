import { renderDuration } from '../report/render-duration.ts';
import { type BuildPlan, isServer, type ServerPlan } from './build-plan.ts';

/** The plan for people, in the order in which it will be done; `crac-build plan --json` prints the object itself. */
export function renderPlan(plan: BuildPlan): string {
  const { app, base, warmUp, checkpoint, verify } = plan;
  const lines = [
    `name: ${plan.name}`,
    `engine: ${plan.engine}, network ${plan.network}`,
    `base: a minimal image from the JDK at ${base.path} (Java ${base.javaVersion})`,
    `  modules: ${base.modules === 'auto' ? 'found with jdeps' : base.modules.join(', ')}`,
    `app: ${app.jar} as ${app.imagePath}`,
    `  user: ${app.user.uid}:${app.user.gid}`,
    `  ports: ${app.ports.length === 0 ? 'none' : app.ports.join(', ')}`,
    ...list('  arguments', app.arguments),
    ...list(
      '  environment',
      Object.entries(app.environment).map(([name, value]) => `${name}=${value}`),
    ),
    ...list('  java options', plan.javaOptions),
    '  added java options:',
    ...plan.addedJavaOptions.flatMap(({ option, reason }) => [`    ${option}`, `      ${reason}`]),
    `command: ${plan.command.argv.map(quote).join(' ')}`,
    ...(isServer(plan) ? [renderReadiness(plan)] : []),
    renderWarmUp(plan),
    ...warmUp.requests.map(
      ({ method, port, path, count, concurrency, status, contains }) =>
        `  ${method} :${port}${path}, ${count} times, ${concurrency} at once, answered ${status}${contains === undefined ? '' : ` with ${JSON.stringify(contains)}`}`,
    ),
    `checkpoint: settles ${renderDuration(checkpoint.settleMs)}, within ${renderDuration(checkpoint.timeoutMs)}; ${
      checkpoint.memory === 'map' ? 'memory is mapped from the image when restored' : 'memory is read at restore'
    }`,
    ...(checkpoint.skip.length === 0 ? [] : [`  without: ${checkpoint.skip.join(', ')}`]),
    `  open resources: ${checkpoint.resources}${checkpoint.policies === undefined ? '' : `, policies of ${checkpoint.policies}`}`,
    verify.enabled
      ? `verify: restored twice and started cold under restrictions, each within ${renderDuration(verify.timeoutMs)}`
      : 'verify: off',
    `layers: ${plan.image.compression}, level ${plan.image.compressionLevel}`,
    'outputs:',
    ...plan.outputs.map((output) => (output.kind === 'oci' ? `  oci:${output.dir}` : `  docker:${output.reference}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function renderReadiness({ readiness }: ServerPlan): string {
  const { port, path, status, timeoutMs } = readiness;
  return `readiness: GET :${port}${path} answers ${status} within ${renderDuration(timeoutMs)}`;
}

function renderWarmUp({ warmUp, checkpoint }: BuildPlan): string {
  const limit = renderDuration(warmUp.timeoutMs);
  if (checkpoint.trigger === 'app') {
    const requests = warmUp.requests.length === 0 ? '' : '; when the image is verified it is asked';
    return `warm-up: the app's own, it asks for its checkpoint within ${limit}${requests}`;
  }
  return warmUp.requests.length === 0 ? 'warm-up: none' : `warm-up: within ${limit}`;
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `    ${item}`)];
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
