/**
 * What a pom.xml says of its licences: their names, else their addresses. Those that it inherits from its parent are not
 * in the jar. https://maven.apache.org/pom.html#Licenses
 */
export function parsePomLicences(xml: string): readonly string[] {
  const plain = xml.replaceAll(/<!--[\s\S]*?-->/g, '');
  const block = /<licenses>([\s\S]*?)<\/licenses>/.exec(plain)?.[1] ?? '';
  return [...block.matchAll(/<license>([\s\S]*?)<\/license>/g)].flatMap(([, licence = '']) => {
    const text = readElement(licence, 'name') ?? readElement(licence, 'url');
    return text === undefined ? [] : [text];
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function readElement(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1];
  const plain = text
    ?.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => ENTITIES[entity] ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return plain === '' ? undefined : plain;
}
