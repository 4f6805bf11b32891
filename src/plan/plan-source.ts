import { type AppPart, type AppSource, MAIN_JAR } from '../jar/app-source.ts';

/** Gives the jar that is started the image's name, and says how the JVM is told to start it. */
export function planSource(
  source: AppSource,
  name: string,
  folder: string,
): { readonly source: AppSource; readonly imagePath: string; readonly start: readonly string[] } {
  if (source.start.kind === 'class') {
    const { classPath, mainClass } = source.start;
    const imagePath = classPath.map((path) => (path === '' ? folder : `${folder}/${path}`)).join(':');
    return { source, imagePath, start: ['-cp', imagePath, mainClass] };
  }
  const isTaken = source.layers.some(({ parts }) => parts.some(({ to }) => to === `${name}.jar`));
  const jar = isTaken ? `${name}-app.jar` : `${name}.jar`;
  const rename = <T extends AppPart>(part: T): T => (part.to === MAIN_JAR ? { ...part, to: jar } : part);
  return {
    source: { ...source, layers: source.layers.map((layer) => ({ ...layer, parts: layer.parts.map(rename) })) },
    imagePath: `${folder}/${jar}`,
    start: ['-jar', `${folder}/${jar}`],
  };
}
