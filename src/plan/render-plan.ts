import { CACHE_KEY_PARTS } from '../cache/compose-key.ts';
import { renderPlace } from '../oci/place.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { renderDuration } from '../report/render-duration.ts';
import { renderExpected, renderProbe } from '../warm-up/probe.ts';
import type { BuildPlan, SigningKey } from './build-plan.ts';
import { quoteWord } from './quote-word.ts';
import { renderServices } from './render-services.ts';
import { renderApp } from './render-source.ts';
import { renderWarmUp } from './render-warm-up.ts';

/** The plan for people, in the order in which it will be done; `crac-build plan --json` prints the object itself. */
export function renderPlan(plan: BuildPlan): string {
  const { app, base, checkpoint, verify } = plan;
  const lines = [
    `name: ${plan.name}`,
    `engine: ${plan.engine}, network ${plan.network}`,
    ...renderBase(base),
    ...renderApp(app),
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
    `command: ${plan.command.argv.map(quoteWord).join(' ')}`,
    ...list(
      '  in the build with',
      Object.entries(plan.command.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...(plan.command.cold === undefined ? [] : [`  cold: ${plan.command.cold.argv.map(quoteWord).join(' ')}`]),
    ...renderServices(plan),
    ...renderReadiness(plan),
    ...renderWarmUp(plan),
    `checkpoint: settles ${renderDuration(checkpoint.settleMs)}, within ${renderDuration(checkpoint.timeoutMs)}; ${
      checkpoint.memory === 'map' ? 'memory is mapped from the image when restored' : 'memory is read at restore'
    }`,
    ...(checkpoint.skip.length === 0 ? [] : [`  without: ${checkpoint.skip.join(', ')}`]),
    `  open resources: ${checkpoint.resources}${checkpoint.policies === undefined ? '' : `, policies of ${checkpoint.policies}`}`,
    `  files that the app wrote: at most ${renderBytes(checkpoint.maxStateBytes)}, without temporary ones and caches that it does not hold`,
    ...(checkpoint.keep.length === 0 ? [] : [`    always with ${checkpoint.keep.join(', ')}`]),
    ...(checkpoint.leaveOut.length === 0 ? [] : [`    without ${checkpoint.leaveOut.join(', ')}`]),
    verify.enabled
      ? `verify: restored twice and started cold under restrictions, each within ${renderDuration(verify.timeoutMs)}`
      : 'verify: off',
    ...renderAnswer(plan),
    ...renderCache(plan),
    `layers: ${plan.image.compression}, level ${plan.image.compressionLevel}`,
    `image: media types of ${plan.image.format === 'oci' ? 'OCI' : 'Docker'}`,
    ...list(
      '  annotations and labels',
      Object.entries(plan.image.annotations).map(([key, value]) => `${key}=${value}`),
    ),
    ...renderAttestations(plan),
    'outputs:',
    ...plan.outputs.map((output) => `  ${renderPlace(output)}`),
    ...list('insecure registries', plan.insecureRegistries),
  ];
  return `${lines.join('\n')}\n`;
}

function renderCache({ cache }: BuildPlan): readonly string[] {
  const size = `at most ${renderBytes(cache.maxBytes)}`;
  if (!cache.enabled) return [`cache: ${size}; the checkpoint is taken anew, and not kept`];
  return [
    `cache: ${size}; an earlier build’s checkpoint is used again, and verified, if nothing of this has changed:`,
    ...CACHE_KEY_PARTS.map((part) => `  ${part}`),
  ];
}

function renderBase(base: BuildPlan['base']): readonly string[] {
  if (base.kind === 'jdk') {
    return [
      `base: a minimal image from the JDK at ${base.path} (Java ${base.javaVersion})`,
      `  modules: ${base.modules === 'auto' ? 'found with jdeps' : base.modules.join(', ')}`,
    ];
  }
  const { jvm, layers } = base;
  return [
    `base: ${base.source}, ${base.digest}`,
    `  system: ${base.system}, ${layers.length} layer${layers.length === 1 ? '' : 's'}`,
    `  Java ${jvm.version} of ${jvm.vendor} at ${jvm.home}${jvm.hasClassArchive ? '' : ', without a class archive'}`,
  ];
}

function renderReadiness({ readiness }: BuildPlan): readonly string[] {
  if (readiness === undefined) return [];
  return [
    `readiness: ${renderProbe(readiness)} is to ${renderExpected(readiness)} within ${renderDuration(readiness.timeoutMs)}`,
  ];
}

function renderAttestations({ attestations: { sbom, provenance, builder, signing } }: BuildPlan): readonly string[] {
  const attached = [...(sbom ? ['SBOM'] : []), ...(provenance ? ['provenance'] : [])];
  return [
    `attached: ${attached.length === 0 ? 'nothing' : attached.join(', ')}`,
    ...(provenance ? [`  builder: ${builder}`] : []),
    ...(signing === undefined ? [] : [`  signed with ${renderKey(signing.key)}`]),
  ];
}

function renderKey(key: SigningKey): string {
  if (key.kind === 'command') return `the command ${key.argv.map(quoteWord).join(' ')}`;
  return key.kind === 'file' ? key.path : `the key in ${key.variable}`;
}

/** Where it is not the readiness. */
function renderAnswer({ readiness, verify: { enabled, answer } }: BuildPlan): readonly string[] {
  if (!enabled || answer === undefined || (readiness !== undefined && renderProbe(readiness) === renderProbe(answer)))
    return [];
  return [`  waits for ${renderProbe(answer)} to ${renderExpected(answer)}`];
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `    ${item}`)];
}
