/** What an app is made of, decided before anything is copied: plain data, a part of the plan. */
export interface AppSource {
  /** For people: "a Spring Boot jar, taken apart as BOOT-INF/layers.idx says". */
  readonly title: string;
  /** What was named: a jar, a folder, or the first entry of a class path. Absolute. */
  readonly path: string;
  /** The file or class that the image is named after: "orders-1.4.2.jar". */
  readonly name: string;
  /** As the jar's manifest says. */
  readonly version?: string;
  readonly start: AppStart;
  /** From what changes seldom to what changes with every commit; each is a layer of the image, and none is empty. */
  readonly layers: readonly AppLayer[];
  /** What jdeps looks at: jars and folders of classes; `nested`: jars with jars in BOOT-INF/lib. */
  readonly analysed: { readonly paths: readonly string[]; readonly nested: boolean };
  /** Into which a Spring Boot jar's own `jarmode=tools` would extract it; absent where it cannot. */
  readonly toolLayers?: readonly string[];
  /** Of a start script; they come before the user's own. */
  readonly javaOptions?: readonly string[];
}

export type AppStart =
  | { readonly kind: 'jar' }
  /** Paths relative to the app's folder; "" is that folder. */
  | { readonly kind: 'class'; readonly classPath: readonly string[]; readonly mainClass: string };

export interface AppLayer {
  readonly name: string;
  readonly kind: 'dependencies' | 'app';
  readonly parts: readonly AppPart[];
}

/** `to` is relative to the app's folder in the image; that of the jar which is started is `MAIN_JAR` until the plan names it. */
export type AppPart =
  | { readonly kind: 'file'; readonly from: string; readonly to: string }
  /** All that is in it, but what `without` names. */
  | { readonly kind: 'folder'; readonly from: string; readonly to: string; readonly without?: readonly string[] }
  /** Jars inside a jar, as they are. */
  | { readonly kind: 'entries'; readonly from: string; readonly entries: readonly string[]; readonly to: string }
  /** The jar without its libraries and loader; its manifest names them. */
  | { readonly kind: 'thin-jar'; readonly from: string; readonly classPath: readonly string[]; readonly to: string };

export const MAIN_JAR = '{main}.jar';

/** Without those that have nothing in them. */
export function composeLayers(layers: readonly AppLayer[]): readonly AppLayer[] {
  return layers.filter(({ parts }) => parts.length > 0);
}

/** A library is rebuilt with the app while its version is a snapshot. */
export function isSnapshot(jar: string): boolean {
  return /-SNAPSHOT(?:-[^/]*)?\.jar$/i.test(jar);
}
