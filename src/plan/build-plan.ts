import type { ImageFacts } from '../base/inspect-base.ts';
import type { DockerfileBuild } from '../engine/dockerfile-build.ts';
import type { AppSource } from '../jar/app-source.ts';
import type { Compression, ImageFormat } from '../oci/image.ts';
import type { ImagePlace } from '../oci/place.ts';
import type { StepName } from '../steps.ts';
import type { AnswerProbe, Readiness } from '../warm-up/probe.ts';
import type { WarmUpPlan } from '../warm-up/scenario.ts';
import type { Service } from '../warm-up/service.ts';

/** Everything that a build will do, decided before anything is done. Plain data: `crac-build plan` prints it. */
export interface BuildPlan {
  readonly name: string;
  readonly app: {
    /** Where on the build machine it comes from, and the layers that it becomes. Absent: the app is in the base, which is an image with an entrypoint. */
    readonly source?: AppSource;
    /** What that image was built from. */
    readonly dockerfile?: Omit<DockerfileBuild, 'tag'>;
    /** Inside the image; the source's places are relative to it. */
    readonly folder: string;
    /** What the JVM is started with: /app/NAME.jar, or the class path; of an app that is an image, what its entrypoint runs. */
    readonly imagePath: string;
    readonly arguments: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
    readonly ports: readonly number[];
    readonly user: { readonly uid: number; readonly gid: number };
    readonly workingDir: string;
  };
  readonly base: JdkBase | ImageBase;
  /** JVM options that crac-build adds, each with its reason; the user's own come after them and win. */
  readonly addedJavaOptions: readonly { readonly option: string; readonly reason: string }[];
  readonly javaOptions: readonly string[];
  /** The JVM's command line in the image, whole. `jvmOptionIndex`: where `-D` options given at run time are inserted. */
  readonly command: {
    readonly argv: readonly string[];
    readonly jvmOptionIndex: number;
    /** For the build's start alone: how a wrapper's JVM gets its options. */
    readonly environment?: Readonly<Record<string, string>>;
    /** Where the JVM may stay the child of a wrapper: the line that does it. */
    readonly suspect?: string;
    /** The cold start, where it is not the same with the agent at rest. */
    readonly cold?: { readonly argv: readonly string[]; readonly jvmOptionIndex: number };
  };
  readonly engine: 'auto' | 'docker' | 'oci';
  readonly network: 'isolated' | 'host';
  /** Absent: an app that nobody waits for, which only `trigger: app` allows. */
  readonly readiness?: Readiness;
  readonly warmUp: WarmUpPlan;
  /** In the order in which they are started. */
  readonly services: readonly Service[];
  readonly checkpoint: {
    /** Who asks for it: the build after its warm-up, or the app (Core.checkpointRestore()) when it is ready for it. */
    readonly trigger: 'build' | 'app';
    readonly memory: 'map' | 'read';
    readonly timeoutMs: number;
    readonly settleMs: number;
    /** What becomes of that which is open: docs/runtime.md. */
    readonly resources: 'transparent' | 'strict';
    /** Absolute path on the build machine; in the image it is /opt/crac/policies.yaml. */
    readonly policies?: string;
    /** Steps that are left out, with those that cannot do without them. */
    readonly skip: readonly StepName[];
    /** What of the app's files is in the image at most. */
    readonly maxStateBytes: number;
    /** Globs of absolute paths in the container: docs/image.md. */
    readonly keep: readonly string[];
    readonly leaveOut: readonly string[];
  };
  readonly verify: {
    readonly enabled: boolean;
    readonly timeoutMs: number;
    /** Whose answer ends a start; absent: an app that nobody asks anything. */
    readonly answer?: AnswerProbe;
  };
  readonly cache: {
    /** Whether the checkpoint of an earlier build may be used again, and that of this one later. */
    readonly enabled: boolean;
    /** Of bases, checkpoints and unpacked layers; what was not used for longest goes first. */
    readonly maxBytes: number;
  };
  readonly image: Compression & {
    readonly format: ImageFormat;
    /** SOURCE_DATE_EPOCH, or the fixed time of our files: when the image says that it was made. */
    readonly createdSeconds: number;
    /** What is known of the image before it is made, by their keys; also labels. */
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly attestations: AttestationPlan;
  readonly outputs: readonly Output[];
  /** "HOST" or "HOST:PORT": may do without TLS, or with a certificate that nobody vouches for. */
  readonly insecureRegistries: readonly string[];
}

/** A minimal image that is made of a JDK of this machine. */
export interface JdkBase {
  readonly kind: 'jdk';
  /** Absolute path of the JDK on the build machine. */
  readonly path: string;
  /** Feature version: 17, 21, 25. */
  readonly javaVersion: number;
  /** "Debian", "Eclipse Adoptium"; absent: the JDK does not tell. */
  readonly javaVendor?: string;
  /** jlink modules; `auto`: found with jdeps, plus what the runtime and TLS need. */
  readonly modules: readonly string[] | 'auto';
}

/** An image that somebody else made, with a JVM in it. Its layers lie in the blobs of this run. */
export type ImageBase = { readonly kind: 'image'; readonly javaVersion: number } & Omit<ImageFacts, 'start'>;

/** What is told of the image beside it, and by whom: docs/supply-chain.md. */
export interface AttestationPlan {
  readonly sbom: boolean;
  readonly provenance: boolean;
  /** A URI: who is to be trusted for what the provenance says. */
  readonly builder: string;
  /** SOURCE_DATE_EPOCH; absent: the clock. */
  readonly sourceDateMs?: number;
  readonly signing?: SigningPlan;
}

export interface SigningPlan {
  readonly key: SigningKey;
  /** Path of the key that signatures are checked with as they are made; absent: that of the private key, where it is known. */
  readonly publicKey?: string;
}

export type SigningKey =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  /** Gets what is to be signed on stdin and prints the signature. */
  | { readonly kind: 'command'; readonly argv: readonly string[] };

/** Of an app that answers. */
export type ServerPlan = BuildPlan & { readonly verify: { readonly answer: AnswerProbe } };

export function isServer(plan: BuildPlan): plan is ServerPlan {
  return plan.verify.answer !== undefined;
}

export type Output = ImagePlace;
