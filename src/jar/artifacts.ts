/** A library inside an app. */
export interface Artifact {
  /** As Maven calls it, with its group in front where the file's name has it: "spring-boot", "io.quarkus.quarkus-core". */
  readonly name: string;
  readonly version?: string;
  /** The file that tells. */
  readonly evidence: string;
}

/** ".../spring-boot-3.5.1.jar" → spring-boot, 3.5.1; undefined for what is no jar. */
export function parseArtifact(path: string): Artifact | undefined {
  const match = /(?:^|\/)([^/]+?)(?:-(\d[^/]*))?\.jar$/.exec(path);
  if (match?.[1] === undefined) return undefined;
  return { name: match[1], ...(match[2] === undefined ? {} : { version: match[2] }), evidence: path };
}

/** META-INF/maven/GROUP/ARTIFACT/pom.properties stays in a jar into which libraries were merged. */
export const POM_PROPERTIES = /^META-INF\/maven\/[^/]+\/([^/]+)\/pom\.properties$/;

export function parsePomProperties(path: string, text: string): Artifact | undefined {
  const name = POM_PROPERTIES.exec(path)?.[1];
  if (name === undefined) return undefined;
  const version = /^version\s*=\s*(\S+)/m.exec(text)?.[1];
  return { name, ...(version === undefined ? {} : { version }), evidence: path };
}

/** `name` without its group; Quarkus puts the group into the file's name. */
export function findArtifact(artifacts: readonly Artifact[], name: string): Artifact | undefined {
  return artifacts.find((artifact) => artifact.name === name || artifact.name.endsWith(`.${name}`));
}
