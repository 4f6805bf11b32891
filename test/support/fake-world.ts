import type { Engine } from '../../src/engine/engine.ts';
import type { OciImage } from '../../src/oci/image.ts';
import type { ReportEvent } from '../../src/report/event.ts';
import type { World } from '../../src/world.ts';

/** A world of which stages that use only the engine can be given. */
export function fakeWorld(engine: Engine, signal = new AbortController().signal): World & { events: ReportEvent[] } {
  const events: ReportEvent[] = [];
  return {
    engine,
    report: (event) => events.push(event),
    signal,
    environment: {},
    workDir: '/nonexistent/work',
    cacheDir: '/nonexistent/cache',
    nativeDir: '/nonexistent/native',
    toolbox: { dir: '/nonexistent/toolbox', criuCommand: ['criu'], criuVersion: '4.2.1' },
    events,
  };
}

export const NO_IMAGE: OciImage = {
  blobDir: '/nonexistent',
  layers: [],
  config: {
    architecture: 'amd64',
    os: 'linux',
    user: '',
    environment: {},
    entrypoint: [],
    command: [],
    workingDir: '/',
    ports: [],
    labels: {},
    stopSignal: 'SIGTERM',
  },
};
