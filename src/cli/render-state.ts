import type { BuildResult } from '../build.ts';
import type { WhyLeftOut } from '../criu/state-report.ts';
import { renderBytes } from '../report/render-bytes.ts';
import { escapeXml, renderTable } from './render-page.ts';

const LARGEST = 3;
const REASONS: Readonly<Record<WhyLeftOut, string>> = {
  jvm: 'the JVM’s own',
  temporary: 'temporary, and not held by the app',
  cache: 'a cache, and not held by the app',
  configured: 'checkpoint.leaveOut',
};

/** What of the app's files is in the image, for people. */
export function renderState({ files, sizeBytes, removed, leftOut }: BuildResult['state']): readonly string[] {
  if (files.length + removed.length + leftOut.length === 0) return [];
  const parts = [
    `${count(files.length)}, ${renderBytes(sizeBytes)}`,
    ...(removed.length === 0 ? [] : [`${removed.length} removed`]),
  ];
  return [
    `files that the app wrote: ${parts.join('; ')}`,
    ...files.slice(0, LARGEST).map((file) => `  ${renderBytes(file.sizeBytes).padStart(9)}  ${file.path}`),
    ...(files.length > LARGEST ? [`  and ${files.length - LARGEST} more`] : []),
    ...(leftOut.length === 0 ? [] : [`  left out: ${count(leftOut.length)}, ${renderBytes(sum(leftOut))}`]),
  ];
}

/** All of them, as a part of the page. */
export function renderStateTables({ files, removed, leftOut }: BuildResult['state']): readonly string[] {
  if (files.length + removed.length + leftOut.length === 0) return [];
  const rows = files.map(({ path, sizeBytes }) => [path, renderBytes(sizeBytes)]);
  const without = leftOut.map(({ path, sizeBytes, why }) => [path, renderBytes(sizeBytes), REASONS[why]]);
  return [
    '<h2>Files that the app wrote</h2>',
    ...(rows.length === 0 ? ['<p>None of them is in the image.</p>'] : [renderTable(['in the image', 'size'], rows)]),
    ...(removed.length === 0 ? [] : [`<p>Removed: ${escapeXml(removed.join(', '))}.</p>`]),
    ...(without.length === 0 ? [] : [renderTable(['left out', 'size', 'why'], without)]),
  ];
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
