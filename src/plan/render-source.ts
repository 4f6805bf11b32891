import type { AppPart, AppSource } from '../jar/app-source.ts';
import type { BuildPlan } from './build-plan.ts';
import { quoteWord } from './quote-word.ts';

/** Where the app comes from, and the layers that it becomes. */
export function renderApp({ source, imagePath, dockerfile }: BuildPlan['app']): readonly string[] {
  if (source !== undefined) return [`app: ${source.path} as ${imagePath}`, ...renderSource(source)];
  if (dockerfile === undefined) return ['app: the image itself'];
  const { file, context, buildArguments, target } = dockerfile;
  return [
    `app: the image that ${file} builds`,
    `  context: ${context}`,
    ...Object.entries(buildArguments).map(([name, value]) => `  build argument: ${quoteWord(`${name}=${value}`)}`),
    ...(target === undefined ? [] : [`  target: ${target}`]),
  ];
}

/** Of a jar that is all there is, nothing more is to be said. */
function renderSource({ title, layers }: AppSource): readonly string[] {
  const [first, ...further] = layers;
  if (further.length === 0 && first?.parts.length === 1 && first.parts[0]?.kind === 'file') return [];
  return [`  ${title}`, ...layers.map(({ name, parts }) => `  layer ${name}: ${parts.map(renderPart).join(', ')}`)];
}

const SHOWN_PARTS = 1;

function renderPart(part: AppPart): string {
  switch (part.kind) {
    case 'file':
      return part.to;
    case 'folder':
      return part.to === '' ? `all of ${part.from}` : `${part.to}/`;
    case 'entries': {
      const count = part.entries.length;
      return count === SHOWN_PARTS ? '1 jar' : `${count} jars`;
    }
    case 'thin-jar':
      return `${part.to} with the app's own classes`;
  }
}
