import { basename } from 'node:path';
import type { Layer, OciImage } from '../oci/image.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/** What a build used and when, besides its plan. */
export interface ProvenanceFacts {
  readonly plan: BuildPlan;
  readonly layers: OciImage['layers'];
  /** "sha256:…" of each file that the build was given, by its name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly jdk: { readonly version: string; readonly vendor: string };
  readonly criu: { readonly version: string; readonly digest: string };
  /** "crun 1.8.1". */
  readonly engine: string;
  readonly version: string;
  readonly startedOn: Date;
  readonly finishedOn: Date;
}

/** docs/supply-chain.md says what its parameters are. */
export const BUILD_TYPE = 'https://crac-build.dev/provenance/image/v1';

/**
 * The predicate of SLSA's provenance v1. What may be a secret is not told: values of environment variables, arguments and
 * properties, what warm-up requests ask and send, and addresses of services. https://slsa.dev/spec/v1.0/provenance
 */
export function composeProvenance(facts: ProvenanceFacts): object {
  const { plan, layers, inputs, jdk, criu, engine, version, startedOn, finishedOn } = facts;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: composeParameters(plan),
      internalParameters: { engine, addedJavaOptions: plan.addedJavaOptions.map(({ option }) => option) },
      resolvedDependencies: [
        ...Object.entries(inputs).map(([name, digest]) => ({ name, digest: digestSet(digest) })),
        {
          name: 'jdk',
          uri: `pkg:generic/openjdk@${encodeURIComponent(jdk.version)}`,
          annotations: { vendor: jdk.vendor },
        },
        ...describeLayers(layers, ['base']),
        { name: 'criu', uri: `pkg:generic/criu@${encodeURIComponent(criu.version)}`, digest: digestSet(criu.digest) },
      ],
    },
    runDetails: {
      builder: {
        id: plan.attestations.builder,
        version: { 'crac-build': version },
        builderDependencies: describeLayers(layers, ['runtime']),
      },
      metadata: { startedOn: startedOn.toISOString(), finishedOn: finishedOn.toISOString() },
      byproducts: describeLayers(layers, ['dependencies', 'app', 'state', 'checkpoint']),
    },
  };
}

function composeParameters(plan: BuildPlan): object {
  const { app, base, checkpoint, verify, warmUp, services } = plan;
  return {
    name: plan.name,
    app: {
      ...describeApp(plan),
      javaOptions: plan.javaOptions.map(hideValue),
      argumentCount: app.arguments.length,
      environmentNames: Object.keys(app.environment).sort(),
      ports: app.ports,
      user: `${app.user.uid}:${app.user.gid}`,
    },
    base:
      base.kind === 'jdk'
        ? { kind: base.kind, javaVersion: base.javaVersion, modules: base.modules }
        : { kind: base.kind, javaVersion: base.javaVersion, digest: base.digest },
    engine: plan.engine,
    network: plan.network,
    warmUp: { scenarios: warmUp.scenarios.map(({ kind, load }) => ({ kind, load })) },
    services: services.map(({ name }) => name),
    checkpoint: {
      trigger: checkpoint.trigger,
      memory: checkpoint.memory,
      resources: checkpoint.resources,
      hasPolicies: checkpoint.policies !== undefined,
      skip: checkpoint.skip,
    },
    verify: verify.enabled,
    image: { compression: plan.image.compression, compressionLevel: plan.image.compressionLevel },
  };
}

function describeApp({ app: { source, dockerfile } }: BuildPlan): object {
  if (dockerfile !== undefined) return { dockerfile: basename(dockerfile.file) };
  return source === undefined ? { image: true } : { source: basename(source.path), layout: source.title };
}

/** "-Dpassword=…"; options of HotSpot itself hold no secrets. */
function hideValue(option: string): string {
  return /^-XX:/.test(option) ? option : option.replace(/([=:])(?=.)(.*)$/s, (_, sign: string) => `${sign}…`);
}

function describeLayers(layers: readonly Layer[], kinds: readonly Layer['kind'][]): readonly object[] {
  return layers
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, digest }) => ({ name: `${kind} layer`, digest: digestSet(digest) }));
}

function digestSet(digest: string): Readonly<Record<string, string>> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}
