/** One request of an access log. */
export interface LoggedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** Empty where the format has none. */
  readonly userAgent: string;
}

/**
 * The common and the combined log format, as Apache httpd, nginx, Tomcat, Jetty, Undertow and Quarkus write them; what comes
 * before the request (host, user, time, a virtual host) may be anything:
 *
 *     127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /orders HTTP/1.1" 200 512 "referer" "user agent"
 *
 * https://httpd.apache.org/docs/2.4/logs.html#accesslog
 */
const LINE =
  /"([A-Z]+) (\S+)(?: HTTP\/\d(?:\.\d)?)?" (\d{3}) (?:\d+|-)(?:[^"]*"(?:[^"\\]|\\.)*"[^"]*"((?:[^"\\]|\\.)*)")?/;

export function parseLogLine(line: string): LoggedRequest | undefined {
  const match = LINE.exec(line);
  if (match?.[1] === undefined) return undefined;
  const target = match[2] ?? '';
  /** Proxies are asked for whole URLs, `OPTIONS *` for none. */
  const url = /^https?:\/\//.test(target) && URL.canParse(target) ? new URL(target) : undefined;
  const path = url === undefined ? target : `${url.pathname}${url.search}`;
  return { method: match[1], path, status: Number(match[3]), userAgent: match[4] ?? '' };
}
