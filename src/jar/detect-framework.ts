import { type Artifact, findArtifact } from './artifacts.ts';

export type FrameworkName =
  | 'spring-boot'
  | 'quarkus'
  | 'micronaut'
  | 'helidon'
  | 'vertx'
  | 'tomcat'
  | 'jetty'
  | 'netty'
  | 'plain';

export interface Framework {
  readonly name: FrameworkName;
  /** For people: "Spring Boot". */
  readonly title: string;
  readonly version?: string;
  /** What in the jar tells. */
  readonly evidence: string;
}

/** What is looked at: `entries` are the paths inside the jar, `artifacts` the libraries in it and beside it. */
export interface DetectedFrom {
  readonly manifest: ReadonlyMap<string, string>;
  readonly entries: readonly string[];
  readonly artifacts: readonly Artifact[];
}

interface Marks {
  readonly name: FrameworkName;
  readonly title: string;
  readonly artifacts: readonly string[];
  /** Of a jar into which the libraries were merged. */
  readonly classes: readonly string[];
  readonly mainClass?: RegExp;
  readonly versionAttribute?: string;
}

/** The first that matches: frameworks before the servers that they are built on. */
const FRAMEWORKS: readonly Marks[] = [
  {
    name: 'spring-boot',
    title: 'Spring Boot',
    artifacts: ['spring-boot'],
    classes: ['org/springframework/boot/SpringApplication.class'],
    mainClass: /^org\.springframework\.boot\.loader\./,
    versionAttribute: 'spring-boot-version',
  },
  {
    name: 'quarkus',
    title: 'Quarkus',
    artifacts: ['quarkus-core'],
    classes: ['io/quarkus/runtime/Application.class'],
    mainClass: /^io\.quarkus\./,
  },
  {
    name: 'micronaut',
    title: 'Micronaut',
    artifacts: ['micronaut-runtime', 'micronaut-context', 'micronaut-inject'],
    classes: ['io/micronaut/runtime/Micronaut.class', 'io/micronaut/context/ApplicationContext.class'],
  },
  {
    name: 'helidon',
    title: 'Helidon',
    artifacts: ['helidon-webserver'],
    classes: ['io/helidon/webserver/WebServer.class'],
  },
  { name: 'vertx', title: 'Vert.x', artifacts: ['vertx-core'], classes: ['io/vertx/core/Vertx.class'] },
  {
    name: 'tomcat',
    title: 'Tomcat',
    artifacts: ['tomcat-embed-core', 'tomcat-catalina'],
    classes: ['org/apache/catalina/startup/Tomcat.class'],
  },
  { name: 'jetty', title: 'Jetty', artifacts: ['jetty-server'], classes: ['org/eclipse/jetty/server/Server.class'] },
  {
    name: 'netty',
    title: 'Netty',
    artifacts: ['netty-transport', 'netty-all'],
    classes: ['io/netty/bootstrap/ServerBootstrap.class'],
  },
];

/** The framework that an executable jar is made with; `plain` where none is known. Pure. */
export function detectFramework(from: DetectedFrom): Framework {
  for (const marks of FRAMEWORKS) {
    const found = findMark(marks, from);
    if (found === undefined) continue;
    const version = from.manifest.get(marks.versionAttribute ?? '') ?? found.version;
    return {
      name: marks.name,
      title: marks.title,
      ...(version === undefined ? {} : { version }),
      evidence: found.evidence,
    };
  }
  return { name: 'plain', title: 'plain Java', evidence: 'no framework that crac-build knows is in the jar' };
}

function findMark(marks: Marks, { manifest, entries, artifacts }: DetectedFrom): Omit<Artifact, 'name'> | undefined {
  for (const name of marks.artifacts) {
    const artifact = findArtifact(artifacts, name);
    if (artifact !== undefined) return artifact;
  }
  const merged = marks.classes.find((name) => entries.includes(name));
  if (merged !== undefined) return { evidence: merged };
  const mainClass = manifest.get('main-class')?.trim();
  const isStartedByIt = mainClass !== undefined && marks.mainClass?.test(mainClass) === true;
  return isStartedByIt ? { evidence: `Main-Class: ${mainClass}` } : undefined;
}
