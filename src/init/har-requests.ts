import { CracBuildError } from '../errors.ts';
import type { HarEntry } from './har-schema.ts';
import { maskPath } from './secrets.ts';
import { isStaticAsset } from './static-assets.ts';

export interface Recorded {
  readonly entry: HarEntry;
  readonly url: URL;
}

const WEB = /^https?:$/;
export const TO_OTHERS = 'to other hosts';

/** The one that was wanted, else the one with the most pages. */
export function chooseHost(recorded: readonly Recorded[], path: string, wanted: string | undefined): string {
  /** Pages, not requests: scripts that report home do so again and again. */
  const pages = new Map<string, Set<string>>();
  for (const request of recorded) {
    const { host, protocol, pathname } = request.url;
    if (!WEB.test(protocol)) continue;
    const seen = pages.get(host) ?? new Set();
    pages.set(host, seen);
    if (whyLeftOut(request, host, { keepAssets: false }) === undefined) seen.add(pathname);
  }
  const hosts = [...pages].sort(([, a], [, b]) => b.size - a.size).map(([host]) => host);
  if (wanted !== undefined && !hosts.includes(wanted)) {
    throw new CracBuildError('INPUT_INVALID', `${path} has no request to ${wanted}`, {
      hint: 'Give --host one of these, with its port where it has one.',
      details: hosts,
    });
  }
  const host = wanted ?? hosts[0];
  if (host !== undefined) return host;
  throw new CracBuildError('INPUT_INVALID', `${path} has no request to http:// or https://`, {
    hint: 'Record what the app is asked.',
  });
}

/** Undefined where the request is kept. */
export function whyLeftOut(
  { entry, url }: Recorded,
  host: string,
  { keepAssets }: { readonly keepAssets: boolean },
): string | undefined {
  const { status, content } = entry.response;
  if (!WEB.test(url.protocol)) return `${url.protocol}// is not HTTP`;
  if (url.host !== host) return TO_OTHERS;
  if (!/^[A-Z]+$/i.test(entry.request.method)) return 'a method that HTTP does not have';
  if (entry.request.method === 'OPTIONS') return 'OPTIONS, which browsers send on their own';
  /** Recorders have negative numbers of their own. */
  if (status < 100) return 'no answer came';
  if (status === 101) return 'a WebSocket began';
  if (status >= 400) return 'answered with 400 or more';
  if (!keepAssets && isStaticAsset(url.pathname, content?.mimeType))
    return 'static files (--include-assets keeps them)';
  if (maskPath(url.pathname) === undefined) return 'a secret is in the path';
  return undefined;
}
