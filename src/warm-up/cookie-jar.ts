import { type Cookie, parseCookie } from 'undici';

/**
 * The cookies of one user of one app. It is reached at another address than its own, so domains say nothing here, and
 * `Secure` does not keep a cookie from going over a connection without TLS.
 */
export interface CookieJar {
  readonly keep: (setCookies: readonly string[], path: string) => void;
  /** The value of `cookie` for a request to `path`; undefined where there is none. */
  readonly render: (path: string) => string | undefined;
}

interface Kept {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly expiresMs: number;
}

export function openCookieJar(): CookieJar {
  const kept = new Map<string, Kept>();
  return {
    keep: (setCookies, path) => {
      for (const line of setCookies) {
        const cookie = parseCookie(line);
        if (cookie === null || cookie.name === '') continue;
        const one = keepCookie(cookie, path);
        const key = `${one.name} ${one.path}`;
        if (one.expiresMs > Date.now()) kept.set(key, one);
        else kept.delete(key);
      }
    },
    render: (path) => {
      const sent = [...kept.values()]
        .filter((one) => one.expiresMs > Date.now() && matches(withoutQuery(path), one.path))
        // https://www.rfc-editor.org/rfc/rfc6265#section-5.4: longer paths first.
        .sort((a, b) => b.path.length - a.path.length);
      return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ');
    },
  };
}

function keepCookie({ name, value, path, maxAge, expires }: Cookie, requestPath: string): Kept {
  const expiresMs =
    maxAge === undefined ? (expires === undefined ? Infinity : Number(expires)) : Date.now() + maxAge * 1000;
  return { name, value, path: path?.startsWith('/') === true ? path : defaultPath(requestPath), expiresMs };
}

/** https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4 */
function defaultPath(path: string): string {
  const bare = withoutQuery(path);
  return bare.slice(0, Math.max(1, bare.lastIndexOf('/')));
}

function matches(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}

function withoutQuery(path: string): string {
  return path.split('?')[0] ?? path;
}
