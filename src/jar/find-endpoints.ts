import type { Framework, FrameworkName } from './detect-framework.ts';
import { findHelidonEndpoints } from './helidon-endpoints.ts';
import { type Endpoints, type Look, unseenPort } from './look-in-jar.ts';
import { findMicronautEndpoints } from './micronaut-endpoints.ts';
import { findQuarkusEndpoints } from './quarkus-endpoints.ts';
import { findSpringEndpoints } from './spring-endpoints.ts';

/** Where an app listens and tells that it is ready, by what its framework does without being told and what its own settings say. Pure. */
export function findEndpoints(framework: Framework, look: Look): Endpoints {
  return FINDERS[framework.name]?.(look) ?? { port: unseenPort(framework.title), notes: [] };
}

const FINDERS: Partial<Readonly<Record<FrameworkName, (look: Look) => Endpoints>>> = {
  'spring-boot': findSpringEndpoints,
  quarkus: findQuarkusEndpoints,
  micronaut: findMicronautEndpoints,
  helidon: findHelidonEndpoints,
};
