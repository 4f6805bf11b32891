import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { measureReplicas } from '../../bench/replicas.ts';
import { type Host, type RuntimeConfig, runContainer } from '../../bench/run-container.ts';
import { JDKS } from './support/build-example.ts';
import { startInContainerd } from './support/containerd.ts';
import { convertProfile } from './support/docker-seccomp.ts';
import { openClient, waitUntilAnswered } from './support/start-image.ts';
import { unpackExample } from './support/unpacked-example.ts';

/** Of skopeo's package, golang-github-containers-common: what Podman, Buildah and CRI-O use. */
const PODMAN_PROFILE = '/usr/share/containers/seccomp.json';
const PORT = 8080;
const MIB = 2 ** 20;
const HEAP_MIB = 64;

let image: Awaited<ReturnType<typeof unpackExample>>;

beforeAll(async () => {
  image = await unpackExample(JDKS[25], [`-Xmx${HEAP_MIB}m`, '-XX:+UseSerialGC']);
}, 90_000);

afterAll(async () => {
  await image?.[Symbol.asyncDispose]();
});

const change = (act: (config: RuntimeConfig) => void): Host => ({ change: act });
const limit = (resources: Record<string, object>) =>
  change(({ linux }) => Object.assign(linux, { resources: { ...linux.resources, ...resources } }));
const without = (namespace: string) =>
  change(({ linux }) =>
    Object.assign(linux, { namespaces: linux.namespaces.filter(({ type }) => type !== namespace) }),
  );

const HOSTS: readonly (readonly [name: string, host: Host])[] = [
  ['nothing but what is always taken away', {}],
  ["Podman's seccomp profile", change(({ linux }) => Object.assign(linux, { seccomp: podmanProfile() }))],
  ['root without capabilities', change(({ process }) => Object.assign(process.user, { uid: 0, gid: 0 }))],
  ['no /tmp', change((config) => (config.mounts = withoutMount(config, '/tmp')))],
  ['a memory limit that is hardly more than the heap', limit({ memory: { limit: (HEAP_MIB + 32) * MIB } })],
  ['a limit of processes just above its threads', limit({ pids: { limit: 64 } })],
  ['a cpuset of one CPU', limit({ cpu: { cpus: '0' } })],
  ['a fifth of a CPU', limit({ cpu: { quota: 20_000, period: 100_000 } })],
  ["the host's process ids", without('pid')],
  ["the host's ipc namespace", without('ipc')],
  ["a user whom the engine writes into the container's passwd", change(addUser)],
  ["the engine's init as first process", change(startByInit)],
  ['addresses that are not randomised', { wrapper: ['setarch', '--addr-no-randomize'] }],
  ['another working folder', change(({ process }) => Object.assign(process, { cwd: '/' }))],
  [
    'a user namespace of many ids',
    change((config) => useUserNamespace(config, { containerID: 0, hostID: 100_000, size: 65_536 })),
  ],
  [
    'a runtime without root',
    {
      rootless: 65_500,
      change: (config) => {
        useUserNamespace(config, { containerID: 0, hostID: 65_500, size: 1 });
        config.process.user = { uid: 0, gid: 0 };
        dropGroups(config);
      },
    },
  ],
  [
    'a terminal',
    {
      wrapper: ['python3', '-c', 'import pty, os, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'],
      change: ({ process }) => Object.assign(process, { terminal: true }),
    },
  ],
];

test.each(HOSTS)(
  'restores with %s',
  async (_, host) => {
    await using container = await runContainer(image, PORT, host);
    await expectWorking(openClient(`127.0.0.1:${container.port}`));
    await container.terminate();
    const { exitCode, output } = await container.ended();
    expect(output).toContain('bye');
    expect(exitCode).toBe(143);
  },
  30_000,
);

test('containers on one host share what they have not changed', async () => {
  const { figures } = await measureReplicas(image);
  expect(figures['pss_10_replicas_mb']).toBeLessThan((figures['rss_10_replicas_mb'] ?? 0) / 2);
}, 60_000);

async function expectWorking(started: ReturnType<typeof openClient>): Promise<void> {
  expect(await waitUntilAnswered(() => started.get('/'))).toMatch(/^hello from plain-http, request \d\d+/);
  expect(await started.getJson('/state?name=warm')).toMatchObject({ value: 'made during warm-up' });
  expect(await started.getJson('/gc')).toMatchObject({ reachable: 400 });
  expect(await started.getJson('/threads?n=5')).toMatchObject({ platform: 5 });
}

test("restores in containerd with its default seccomp profile, which is Kubernetes' RuntimeDefault", async () => {
  await using started = await startInContainerd(image.layout);
  await expectWorking(started);
  const { exitCode, output } = await started.stop();
  expect(output).toContain('bye');
  expect(exitCode).toBe(143);
}, 60_000);

const TOO_SMALL: readonly (readonly [what: string, host: Host, reason: RegExp])[] = [
  ['a memory limit below the heap', limit({ memory: { limit: (HEAP_MIB - 16) * MIB } }), /memory limit is 48 MiB/],
  ['an address space of 1 GB', change(limitAddressSpace), /the limit of address space is/],
  ['fewer processes than threads', limit({ pids: { limit: 12 } }), /thread \d+ of \d+ cannot be made/],
];

test.each(TOO_SMALL)(
  'does not restore, and says why, with %s',
  async (_, host, reason) => {
    await using container = await runContainer(image, PORT, host);
    const { exitCode, output } = await container.ended();
    expect(output).toMatch(/^crac: cannot restore: /m);
    expect(output).toMatch(reason);
    expect(exitCode).toBe(125);
  },
  30_000,
);

function podmanProfile(): object {
  return convertProfile(JSON.parse(readFileSync(PODMAN_PROFILE, 'utf8')));
}
/** As Podman and CRI-O do for a user whom the image does not know. */
function addUser(config: RuntimeConfig): void {
  const known = readFileSync(join(image.root, 'etc/passwd'), 'utf8');
  const passwd = join(dirname(image.root), 'passwd');
  writeFileSync(passwd, `${known}${config.process.user.uid}:*:${config.process.user.uid}:0:added:/:/sbin/nologin\n`);
  config.mounts.push({ destination: '/etc/passwd', type: 'bind', source: passwd, options: ['bind', 'ro'] });
}
/** `docker run --init`; /dev is the only folder in which a file can be put. */
function startByInit({ mounts, process }: RuntimeConfig): void {
  mounts.push({ destination: '/dev/init', type: 'bind', source: '/usr/bin/docker-init', options: ['bind', 'ro'] });
  process.args = ['/dev/init', '--', ...process.args];
}
function limitAddressSpace({ process }: RuntimeConfig): void {
  process.rlimits = [{ type: 'RLIMIT_AS', soft: 1e9, hard: 1e9 }];
}
function withoutMount({ mounts }: RuntimeConfig, destination: string): RuntimeConfig['mounts'] {
  return mounts.filter((mount) => mount.destination !== destination);
}
function useUserNamespace(
  { linux }: RuntimeConfig,
  mapping: { containerID: number; hostID: number; size: number },
): void {
  linux.namespaces.push({ type: 'user' });
  linux.uidMappings = [mapping];
  linux.gidMappings = [mapping];
}
/** Without root nobody may give a terminal to another group, or limit anything. */
function dropGroups(config: RuntimeConfig): void {
  for (const mount of config.mounts) mount.options = mount.options.filter((option) => !option.startsWith('gid='));
  config.mounts = withoutMount(config, '/sys/fs/cgroup');
  delete config.linux.resources;
}
