import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImageAddress } from '../base/obtain-image.ts';
import { closestWord } from '../config/closest-word.ts';
import type { Settings } from '../config/settings.ts';
import {
  BASE_WORDS,
  type BaseWord,
  type ExtentWord,
  IMAGE_WORDS,
  parseBase,
  parseExtent,
  parseHost,
  parseImage,
  parseSignKey,
  parseUntil,
  parseUser,
  parseWarmUpRequest,
} from '../config/words.ts';
import { PLACE_FORMS, parsePlace } from '../oci/place.ts';
import { STEP_NAMES, type StepName } from '../steps.ts';

/** What `build` and `plan` take; each flag has its key in crac-build.yaml and wins over it. */
export interface BuildFlags {
  readonly config?: string;
  readonly name?: string;
  readonly base?: BaseWord;
  readonly image?: ImageAddress;
  readonly classPath?: readonly string[];
  readonly mainClass?: string;
  readonly dockerfile?: string;
  readonly context?: string;
  readonly buildArg?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly extract?: boolean;
  readonly javaOption?: readonly string[];
  readonly arg?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: readonly number[];
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly readiness?: string;
  readonly warmUp?: readonly { readonly method: string; readonly path: string; readonly count?: number }[];
  readonly warmUpUntil?: 'settled' | ExtentWord;
  readonly warmUpMin?: Extent;
  readonly warmUpMax?: Extent;
  readonly engine?: 'auto' | 'docker' | 'oci';
  readonly trigger?: 'build' | 'app';
  readonly resources?: 'transparent' | 'strict';
  readonly policies?: string;
  readonly skipStep?: readonly StepName[];
  readonly compression?: 'gzip' | 'zstd';
  readonly compressionLevel?: number;
  readonly sbom?: boolean;
  readonly provenance?: boolean;
  readonly signKey?: ReturnType<typeof parseSignKey>;
  readonly signPublicKey?: string;
  readonly format?: 'oci' | 'docker';
  readonly output?: NonNullable<Settings['outputs']>;
  readonly push?: NonNullable<Settings['outputs']>;
  readonly insecure?: readonly string[];
  readonly criu?: string;
  readonly toolbox?: string;
  readonly report?: string;
  readonly cache: boolean;
  readonly verify: boolean;
  readonly json?: boolean;
}

interface Extent {
  /** Milliseconds. */
  readonly duration?: number;
  readonly requests?: number;
}

export function addBuildFlags(command: Command): Command {
  return command
    .argument('[app]', 'the app: an executable jar, or a folder that a build tool made of it (config: app.jar)')
    .option('--config <file>', 'settings; crac-build.yaml where there is one')
    .option('--name <name>', 'name of the image; from the jar where it is left out')
    .option(
      '--base <base>',
      'jdk:PATH, oci:DIR[:NAME], docker-archive:FILE, docker:REFERENCE or registry:REFERENCE; JAVA_HOME or the java in PATH',
      one(parseBase, BASE_WORDS),
    )
    .option(
      '--image <image>',
      'instead of a jar: an image whose entrypoint starts a JVM, named as a base is',
      one(parseImage, IMAGE_WORDS),
    )
    .option(
      '--class-path <path>',
      'instead of a jar: jars and folders, as for java -cp; can be given again',
      appendPath,
    )
    .option('--main-class <name>', 'the class to start from a class path or a folder')
    .option('--dockerfile <file>', 'instead of a jar: build this Dockerfile, and take its image as with --image')
    .option('--context <dir>', 'Dockerfile: what it copies from (the folder that it lies in)')
    .option('--build-arg <name=value>', 'Dockerfile: an ARG of it; can be given again', collectEnvironment)
    .option('--target <stage>', 'Dockerfile: the stage to stop at (the last)')
    .option('--no-extract', 'keep a Spring Boot jar whole, in one layer')
    .option('--java-option <option>', 'option for the JVM; can be given again', append)
    .option('--arg <argument>', 'argument for the app; can be given again', append)
    .option('--env <key=value>', 'environment variable of the app; can be given again', collectEnvironment)
    .option('--port <port>', 'TCP port of the app; can be given again', many(parsePort, 'a port number'))
    .option('--user <uid[:gid]>', 'who the app runs as (1000:1000)', one(parseUser, '"UID" or "UID:GID" in numbers'))
    .option('--readiness <path>', 'GET this until it answers 200 (/)', one(parsePath, 'a path that begins with "/"'))
    .option(
      '--warm-up <request>',
      '"GET /path x200"; can be given again',
      many(parseWarmUpRequest, '"[METHOD] /path [xCOUNT]"'),
    )
    .option(
      '--warm-up-until <when>',
      'settled, 30s, or x1000 requests: when what is mixed is over (settled)',
      one(parseUntil, '"settled", a duration such as "30s", or "x1000"'),
    )
    .option('--warm-up-min <extent>', 'not before 5s, or x1000 requests; can be given again (5s)', extend)
    .option('--warm-up-max <extent>', 'at the latest after 60s, or x1000 requests; can be given again (60s)', extend)
    .addOption(new Option('--engine <engine>', 'what runs the containers').choices(['auto', 'docker', 'oci']))
    .addOption(
      new Option('--trigger <who>', 'who asks for the checkpoint: the build, or the app itself (build)').choices([
        'build',
        'app',
      ]),
    )
    .addOption(
      new Option('--resources <mode>', 'what may be open at the checkpoint (transparent)').choices([
        'transparent',
        'strict',
      ]),
    )
    .option('--policies <file>', 'rules for what is open at the checkpoint, as for the CRaC JDK')
    .option('--skip-step <name>', 'leave out a step that makes the checkpoint small; can be given again', appendStep)
    .addOption(new Option('--compression <format>', 'of the image’s layers (gzip)').choices(['gzip', 'zstd']))
    .option(
      '--compression-level <level>',
      'gzip has 1 to 9, zstd 1 to 19 (6)',
      one(parseLevel, 'a whole number from 1 to 19'),
    )
    .addOption(new Option('--format <types>', 'whose media types the image has (oci)').choices(['oci', 'docker']))
    .option(
      '--output <where>',
      'oci:DIR[:TAG], docker:REFERENCE, registry:REFERENCE or docker-archive:FILE[:REFERENCE]; can be given again',
      many(parsePlace, PLACE_FORMS),
    )
    .option(
      '--push <reference>',
      'short for --output registry:REFERENCE; can be given again',
      many((text) => parsePlace(`registry:${text}`), 'an image reference'),
    )
    .option(
      '--insecure <host[:port]>',
      'a registry without TLS, or whose certificate is not to be checked; can be given again',
      many(parseHost, '"HOST" or "HOST:PORT"'),
    )
    .option('--sbom', 'attach a list of what is in the image (CycloneDX)')
    .option('--no-sbom', 'attach none')
    .option('--provenance', 'attach what the image was made of and how (SLSA; the default)')
    .option('--no-provenance', 'attach none')
    .option(
      '--sign-key <key>',
      'sign as cosign does: a file in PEM, env://VARIABLE, or "command:PROGRAM ARGUMENT…"',
      one(parseSignKey, '"FILE", "env://VARIABLE" or "command:PROGRAM ARGUMENT…"'),
    )
    .option('--sign-public-key <file>', 'check each signature with this key as it is made')
    .option('--criu <path>', 'use this CRIU (4.2 or newer) and not the toolbox')
    .option('--toolbox <dir>', 'use the toolbox in this folder')
    .option('--no-cache', 'take a new checkpoint, and do not keep it for later builds')
    .option('--no-verify', 'do not try whether the image restores (not for production)')
    .option('--json', 'print one JSON object at the end, events as JSON lines on stderr');
}

/** Flags in the shape of the config file. */
export function settingsFromFlags(jar: string | undefined, flags: BuildFlags): Settings {
  const dockerfile = defined({
    file: flags.dockerfile,
    context: flags.context,
    arguments: flags.buildArg,
    target: flags.target,
  });
  const app = defined({
    jar,
    dockerfile: Object.keys(dockerfile).length === 0 ? undefined : dockerfile,
    image: flags.image,
    classPath: flags.classPath,
    mainClass: flags.mainClass,
    extract: flags.extract === false ? false : undefined,
    javaOptions: flags.javaOption,
    arguments: flags.arg,
    environment: flags.env,
    ports: flags.port,
    user: flags.user,
  });
  const checkpoint = defined({
    trigger: flags.trigger,
    resources: flags.resources,
    policies: flags.policies,
    skip: flags.skipStep,
  });
  const warmUp = defined({
    requests: flags.warmUp,
    until: flags.warmUpUntil,
    min: flags.warmUpMin,
    max: flags.warmUpMax,
  });
  const image = defined({
    compression: flags.compression,
    compressionLevel: flags.compressionLevel,
    format: flags.format,
  });
  const attestations = defined({
    sbom: flags.sbom,
    provenance: flags.provenance,
    signKey: flags.signKey,
    signPublicKey: flags.signPublicKey,
  });
  return defined({
    name: flags.name,
    app: Object.keys(app).length === 0 ? undefined : app,
    base: flags.base,
    engine: flags.engine,
    readiness: flags.readiness === undefined ? undefined : { path: flags.readiness },
    warmUp: Object.keys(warmUp).length === 0 ? undefined : warmUp,
    checkpoint: Object.keys(checkpoint).length === 0 ? undefined : checkpoint,
    cache: flags.cache ? undefined : { enabled: false },
    verify: flags.verify ? undefined : { enabled: false },
    image: Object.keys(image).length === 0 ? undefined : image,
    attestations: Object.keys(attestations).length === 0 ? undefined : attestations,
    outputs: flags.push === undefined ? flags.output : [...(flags.output ?? []), ...flags.push],
    insecureRegistries: flags.insecure,
  }) as Settings;
}

function defined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function one<T>(parse: (text: string) => T | undefined, expected: string): (text: string) => T {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

function many<T>(parse: (text: string) => T | undefined, expected: string): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, one(parse, expected)(text)];
}

/** A time and a number of requests may both be given. */
function extend(text: string, before: Extent = {}): Extent {
  return { ...before, ...one(parseExtent, 'a duration such as "30s", or "x1000"')(text) };
}

function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function appendPath(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(':').filter((path) => path !== '')];
}

function appendStep(text: string, before: readonly StepName[] = []): readonly StepName[] {
  const name = STEP_NAMES.find((step) => step === text);
  if (name !== undefined) return [...before, name];
  const near = closestWord(text, STEP_NAMES);
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw new InvalidArgumentError(`There is no such step.${meant} There are: ${STEP_NAMES.join(', ')}.`);
}

function collectEnvironment(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const match = /^([^=]+)=(.*)$/s.exec(text);
  if (match?.[1] === undefined) throw new InvalidArgumentError('Expected "KEY=VALUE".');
  return { ...before, [match[1]]: match[2] ?? '' };
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}

function parseLevel(text: string): number | undefined {
  const level = Number(text);
  return /^\d{1,2}$/.test(text) && level >= 1 && level <= 19 ? level : undefined;
}

function parsePath(text: string): string | undefined {
  return text.startsWith('/') ? text : undefined;
}
