import { fixupSpdxId, isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';

/** How Maven's poms most often name what has an SPDX identifier; compared in lower case without punctuation and "the". */
const NAMES: Readonly<Record<string, string>> = {
  'apache license version 20': 'Apache-2.0',
  'apache license 20': 'Apache-2.0',
  'apache software license version 20': 'Apache-2.0',
  'apache license v2': 'Apache-2.0',
  'apache 20': 'Apache-2.0',
  'apache 2': 'Apache-2.0',
  apache2: 'Apache-2.0',
  'mit license': 'MIT',
  'bsd 3clause license': 'BSD-3-Clause',
  'bsd 3clause': 'BSD-3-Clause',
  'bsd 2clause license': 'BSD-2-Clause',
  'eclipse public license v 10': 'EPL-1.0',
  'eclipse public license 10': 'EPL-1.0',
  'eclipse public license v 20': 'EPL-2.0',
  'eclipse public license 20': 'EPL-2.0',
  'epl 20': 'EPL-2.0',
  'mozilla public license version 20': 'MPL-2.0',
  'public domain per creative commons cc0': 'CC0-1.0',
  'edl 10': 'BSD-3-Clause',
  'eclipse distribution license v 10': 'BSD-3-Clause',
};
const ADDRESSES: readonly (readonly [RegExp, string])[] = [
  [/^https?:\/\/(www\.)?apache\.org\/licenses\/LICENSE-2\.0(\.txt|\.html)?$/i, 'Apache-2.0'],
  [/^https?:\/\/(www\.)?opensource\.org\/licenses\/mit(-license(\.php)?)?$/i, 'MIT'],
  [/^https?:\/\/www\.eclipse\.org\/legal\/epl-2\.0\/?$/i, 'EPL-2.0'],
];

/** The SPDX identifier for what a jar calls its licence; undefined where the words could mean several. */
export function findLicenceId(text: string): string | undefined {
  const exact = fixupSpdxId(text);
  if (exact !== undefined && isSupportedSpdxId(exact)) return exact;
  const byAddress = ADDRESSES.find(([address]) => address.test(text))?.[1];
  const words = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9 ]/g, '')
    .replaceAll(/\bthe\b/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return byAddress ?? NAMES[words];
}
