import type { ScriptScenario } from './scenario.ts';

/** Only these can be reached from outside the container. */
export function requirePort(port: number, { ports }: ScriptScenario): number {
  if (ports.includes(port)) return port;
  throw new Error(`the app has no port ${port} (app.ports: ${ports.join(', ')})`);
}
