import { createHash } from 'node:crypto';
import { ComponentType, HashAlgorithm, LifecyclePhase } from '@cyclonedx/cyclonedx-library/Enums';
import {
  Bom,
  Component,
  Metadata,
  NamedLicense,
  type OptionalComponentProperties,
  Property,
  SpdxLicense,
} from '@cyclonedx/cyclonedx-library/Models';
import { JSON as CycloneJson, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize';
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec';
import { PackageURL } from 'packageurl-js';
import type { DebianPackage } from './debian-packages.ts';
import type { ImageContents } from './image-contents.ts';
import type { Coordinates, Library } from './inspect-library.ts';
import { findLicenceId } from './licence-id.ts';

export interface SbomFacts {
  readonly name: string;
  /** Of the manifest, "sha256:…". */
  readonly imageDigest: string;
  readonly architecture: string;
  readonly created: Date;
  readonly contents: ImageContents;
  /** Where files of the build machine went into the base: the packages that they came from, and the others. */
  readonly copied?: {
    readonly owners: ReadonlyMap<string, DebianPackage>;
    /** Of the build machine, as its os-release says. */
    readonly osRelease: ReadonlyMap<string, string>;
    readonly jdkPackage?: DebianPackage;
    /** The JDK's own release file: that of what jlink makes says less. */
    readonly jdkRelease: ReadonlyMap<string, string>;
  };
  readonly builder: { readonly version: string; readonly criuVersion: string };
}

export const SBOM_MEDIA_TYPE = 'application/vnd.cyclonedx+json';
/** https://cyclonedx.org/docs/1.6/json/ asks for one namespace for each who makes properties. */
const PROPERTY = 'crac-build:';

/** A CycloneDX 1.6 document. Equal facts give equal bytes. */
export function composeSbom(facts: SbomFacts): string {
  const image = describeImage(facts);
  const parts = [
    ...facts.contents.jdks.map((jdk) => describeJdk(jdk, facts)),
    ...describeLibraries(facts.contents.libraries, image),
    ...describePackages(facts),
    ...describeUnowned(facts),
    ...describeRuntime(facts),
  ];
  const bom = new Bom({
    serialNumber: deriveSerialNumber(facts.imageDigest),
    metadata: new Metadata({ timestamp: facts.created, component: image }),
  });
  bom.metadata.lifecycles.add(LifecyclePhase.Build);
  const { version, criuVersion } = facts.builder;
  bom.metadata.tools.components.add(new Component(ComponentType.Application, 'crac-build', { version }));
  bom.metadata.tools.components.add(
    new Component(ComponentType.Application, 'criu', { version: criuVersion, description: 'took the checkpoint' }),
  );
  for (const part of parts) {
    bom.components.add(part);
    if (!isInJar(part)) image.dependencies.add(part.bomRef);
  }
  const normalize = new CycloneJson.Normalize.Factory(Spec1dot6);
  return `${new JsonSerializer(normalize).serialize(bom, { sortLists: true, space: 1 })}\n`;
}

/** A UUID of version 8 (RFC 9562) out of the image's digest: the same image has the same. */
function deriveSerialNumber(imageDigest: string): string {
  const bytes = createHash('sha256').update(`crac-build sbom ${imageDigest}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}`;
}

function describeImage({ name, imageDigest, architecture }: SbomFacts): Component {
  const purl = new PackageURL('oci', undefined, name, imageDigest, { arch: architecture }, undefined).toString();
  return new Component(ComponentType.Container, name, { version: imageDigest, purl, bomRef: purl });
}

function describeJdk({ home, release }: ImageContents['jdks'][number], { copied }: SbomFacts): Component {
  const tell = (name: string) => copied?.jdkRelease.get(name) ?? release.get(name);
  const version = tell('JAVA_RUNTIME_VERSION') ?? tell('JAVA_VERSION') ?? 'unknown';
  const vendor = tell('IMPLEMENTOR');
  const purl =
    copied?.jdkPackage === undefined
      ? new PackageURL('generic', undefined, 'openjdk', version, undefined, undefined).toString()
      : debianPurl(copied.jdkPackage, copied.osRelease);
  const modules = (release.get('MODULES') ?? '').split(' ').filter((module) => module !== '');
  return compose(ComponentType.Platform, 'openjdk', home, {
    version,
    purl,
    ...(vendor === undefined ? {} : { publisher: vendor }),
    properties: { modules: modules.sort().join(' ') },
  });
}

function describeLibraries(libraries: readonly Library[], image: Component): readonly Component[] {
  return libraries.flatMap((library) => {
    const own = describeCoordinates(library, library.path, library.digest);
    const inside = [
      ...library.merged.map((merged) =>
        describeCoordinates(merged, `${library.path}!/META-INF/maven/${merged.group}/${merged.name}`),
      ),
      ...describeLibraries(library.nested, image),
    ];
    for (const each of inside) if (!isDeeper(each, library.path)) own.dependencies.add(each.bomRef);
    return [own, ...inside];
  });
}

function describeCoordinates(
  { group, name, version, licences }: Coordinates,
  path: string,
  digest?: string,
): Component {
  const type = group === undefined ? 'generic' : 'maven';
  return compose(ComponentType.Library, name, path, {
    purl: new PackageURL(type, group, name, version, undefined, undefined).toString(),
    ...(group === undefined ? {} : { group }),
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
    licences,
  });
}

/** Each Debian package once, with the number of its files in the image where these were copied. */
function describePackages({ contents, copied }: SbomFacts): readonly Component[] {
  const own = contents.packages.map((one) => describePackage(one, contents.osRelease));
  const counts = new Map<string, { readonly one: DebianPackage; files: number }>();
  for (const one of copied?.owners.values() ?? []) {
    const key = debianPurl(one, copied?.osRelease ?? new Map());
    const count = counts.get(key) ?? { one, files: 0 };
    count.files++;
    counts.set(key, count);
  }
  return [
    ...own,
    ...[...counts.values()].map(({ one, files }) =>
      describePackage(one, copied?.osRelease ?? new Map(), { 'copied-files': String(files) }),
    ),
  ];
}

function describePackage(
  one: DebianPackage,
  osRelease: ReadonlyMap<string, string>,
  properties: Readonly<Record<string, string>> = {},
): Component {
  const purl = debianPurl(one, osRelease);
  return compose(ComponentType.Library, one.name, purl, { version: one.version, purl, properties });
}

/** https://github.com/package-url/purl-spec/blob/main/types/deb-definition.json; `upstream` as scanners write the source package. */
function debianPurl(one: DebianPackage, osRelease: ReadonlyMap<string, string>): string {
  const id = osRelease.get('ID') ?? 'debian';
  const release = osRelease.get('VERSION_ID');
  const qualifiers = {
    arch: one.architecture,
    ...(release === undefined ? {} : { distro: `${id}-${release}` }),
    ...(one.source === undefined ? {} : { upstream: one.source }),
  };
  return new PackageURL('deb', id, one.name, one.version, qualifiers, undefined).toString();
}

/** What a base that was made of the build machine holds besides the JDK and files of packages. */
function describeUnowned({ contents, copied }: SbomFacts): readonly Component[] {
  if (copied === undefined) return [];
  const isOfJdk = (path: string) => contents.jdks.some(({ home }) => path.startsWith(`${home}/`));
  return contents.files
    .filter(({ path, layer }) => layer === 'base' && !copied.owners.has(path) && !isOfJdk(path))
    .map(({ path, digest }) => compose(ComponentType.File, path, path, { digest }));
}

/** crac-build's own files in the image. */
function describeRuntime({ contents, builder }: SbomFacts): readonly Component[] {
  return contents.files
    .filter(({ layer }) => layer === 'runtime')
    .map(({ path, digest }) =>
      compose(ComponentType.File, path, path, { digest, version: builder.version, publisher: 'crac-build' }),
    );
}

interface Described extends Pick<OptionalComponentProperties, 'version' | 'purl' | 'group' | 'publisher'> {
  readonly digest?: string;
  readonly licences?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

function compose(
  type: ComponentType,
  name: string,
  path: string,
  { digest, licences = [], properties = {}, ...rest }: Described,
): Component {
  const component = new Component(type, name, { ...rest, bomRef: path });
  if (digest !== undefined) component.hashes.set(HashAlgorithm['SHA-256'], digest.slice('sha256:'.length));
  for (const text of new Set(licences)) {
    const id = findLicenceId(text);
    component.licenses.add(id === undefined ? new NamedLicense(text) : new SpdxLicense(id));
  }
  if (!path.startsWith('pkg:')) component.properties.add(new Property(`${PROPERTY}path`, path));
  for (const [key, value] of Object.entries(properties)) component.properties.add(new Property(PROPERTY + key, value));
  return component;
}

function isInJar({ bomRef }: Component): boolean {
  return bomRef.value?.includes('!/') ?? false;
}

/** In a jar that lies in the one at `path`, and not in that itself. */
function isDeeper({ bomRef }: Component, path: string): boolean {
  return (bomRef.value ?? '').slice(path.length + 2).includes('!/');
}
