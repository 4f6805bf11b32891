// Run by leftovers.test.ts: starts a container with the oci engine, says so, and waits to be killed.
import { connectOciRuntime } from '../../src/engine/oci-runtime.ts';
import { makeFixtureImage } from './image-fixture.ts';

const [cacheDir = '', nativeDir = ''] = process.argv.slice(2);
const signal = new AbortController().signal;
const fixture = await makeFixtureImage();
const engine = await connectOciRuntime({ cacheDir, nativeDir, signal });
await engine.loadImage(fixture.image, 'x:y', signal);
const container = await engine.launchContainer(
  {
    image: 'x:y',
    name: 'abandoned',
    environment: {},
    capabilities: [],
    seccomp: 'default',
    noNewPrivileges: true,
    readOnlyRoot: false,
    tmpfs: [],
    ports: [8080],
    network: 'isolated',
  },
  signal,
);
const network = await engine.openNetwork('abandoned', signal);
const argv = ['sh', '-c', 'sleep 2000.5 & sleep 2000.5'];
await engine.launchProcess({ name: 'abandoned', argv, environment: {}, network }, signal);
const { port } = await container.endpoint(8080);
console.log(JSON.stringify({ port, fixtureDir: fixture.dir }));
setInterval(() => undefined, 1000);
