import { randomBytes } from 'node:crypto';
import type { Container, ContainerSpec } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { OciImage } from '../oci/image.ts';
import type { BuildPlan, ServerPlan, WarmUpRequest } from '../plan/build-plan.ts';
import { renderDuration } from '../report/render-duration.ts';
import { openPools } from '../warm-up/open-pools.ts';
import { sendRequest } from '../warm-up/send-requests.ts';
import { waitForResponse } from '../warm-up/wait-for-response.ts';
import type { World } from '../world.ts';

/** Milliseconds from asking the engine for a container to the app's first good answer: the same span for each. */
export interface VerifyReport {
  readonly profile: Profile;
  readonly restoredMs: readonly number[];
  readonly coldMs: number;
  /** Warm-up requests whose answers were checked after each start. */
  readonly checkedRequests: number;
}

export type Profile = Pick<ContainerSpec, 'capabilities' | 'seccomp' | 'noNewPrivileges' | 'readOnlyRoot' | 'tmpfs'> & {
  readonly user: string;
};

const RESTORE_COUNT = 2;
const LAST_LINES = 30;
const POLL_INTERVAL_MS = 1;

/** Starts the final image under restrictions: restored twice, then cold. VERIFY_FAILED unless all three answer as in the warm-up. */
export async function verifyImage(plan: ServerPlan, image: OciImage, world: World): Promise<VerifyReport> {
  const id = randomBytes(4).toString('hex');
  const profile = planProfile(plan);
  await using loaded = await world.engine.loadImage(image, `crac-build/${plan.name}:verify-${id}`, world.signal);
  const requests = distinctRequests(plan.warmUp.requests);
  const spec = (mode: 'require' | 'off', run: string): ContainerSpec => ({
    ...profile,
    image: loaded.reference,
    name: `crac-build-${plan.name}-verify-${id}-${run}`,
    environment: { CRAC_RESTORE: mode },
    ports: [...new Set([...plan.app.ports, plan.readiness.port, ...requests.map(({ port }) => port)])],
    network: plan.network,
  });

  const restoredMs: number[] = [];
  for (let run = 1; run <= RESTORE_COUNT; run++) {
    const elapsedMs = await checkStart(plan, requests, spec('require', `${run}`), 'restored', world);
    restoredMs.push(elapsedMs);
    tell(world, `restore ${run}: first answer after ${renderDuration(elapsedMs)}`);
  }
  const coldMs = await checkStart(plan, requests, spec('off', 'cold'), 'started cold', world);
  tell(world, `cold: first answer after ${renderDuration(coldMs)}`);
  return { profile, restoredMs, coldMs, checkedRequests: requests.length };
}

/** What a strict cluster allows: nothing. The user is neither root nor the app's own. */
export function planProfile(plan: BuildPlan): Profile {
  const uid = plan.app.user.uid === 65_432 ? 65_433 : 65_432;
  return {
    user: `${uid}:${uid}`,
    capabilities: [],
    seccomp: 'default',
    noNewPrivileges: true,
    readOnlyRoot: true,
    tmpfs: ['/tmp'],
  };
}

/** Each kind of request once. */
export function distinctRequests(requests: readonly WarmUpRequest[]): readonly WarmUpRequest[] {
  const byKind = new Map(
    requests.map((request) => {
      const { method, port, path, headers, body, contains } = request;
      return [JSON.stringify([method, port, path, headers, body, contains]), { ...request, count: 1, concurrency: 1 }];
    }),
  );
  return [...byKind.values()];
}

/** Milliseconds until the first good answer. `how`: "restored", "started cold". */
async function checkStart(
  plan: ServerPlan,
  requests: readonly WarmUpRequest[],
  spec: ContainerSpec,
  how: string,
  world: World,
): Promise<number> {
  const startedMs = performance.now();
  await using container = await world.engine.launchContainer(spec, world.signal);
  const expected = { ...plan.readiness, timeoutMs: plan.verify.timeoutMs, intervalMs: POLL_INTERVAL_MS };
  const response = await waitForResponse(container, expected, world.signal);
  const elapsedMs = Math.round((performance.now() - startedMs) * 10) / 10;
  if (response.outcome === 'exited') {
    throw await failed(
      container,
      `the image was to be ${how}, but its process exited with code ${response.exit.exitCode}`,
    );
  }
  if (response.outcome === 'timed-out') {
    const limit = renderDuration(plan.verify.timeoutMs);
    throw await failed(
      container,
      `${how}, the image did not answer GET :${expected.port}${expected.path} with ${expected.status} within ${limit}; at last: ${response.lastSeen}`,
    );
  }
  await checkAnswers(container, requests, how, plan.verify.timeoutMs, world);
  return elapsedMs;
}

async function checkAnswers(
  container: Container,
  requests: readonly WarmUpRequest[],
  how: string,
  timeoutMs: number,
  world: World,
): Promise<void> {
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([world.signal, limit]);
  await using pools = await openPools(container, requests);
  for (const request of requests) {
    try {
      await sendRequest(pools.get(request.port), request, signal);
    } catch (error) {
      if (world.signal.aborted) throw error;
      const sentence = limit.aborted
        ? `${request.method} ${request.path} was not answered within ${renderDuration(timeoutMs)}`
        : (error as Error).message;
      throw await failed(
        container,
        `${how}, ${request.method} ${request.path} is not as in the warm-up: ${sentence}`,
        error,
      );
    }
  }
}

export async function failed(container: Container, sentence: string, cause?: unknown): Promise<CracBuildError> {
  return new CracBuildError('VERIFY_FAILED', `verify: ${sentence}`, {
    hint: 'No image was published. The container’s last lines are above, docs/restore.md and docs/runtime.md say what to do about them; CRAC_LOG=debug in app.environment tells more.',
    cause,
    details: await container.lastLines(LAST_LINES),
  });
}

function tell(world: World, text: string): void {
  world.report({ type: 'stage-progress', stage: 'verify', text });
}
