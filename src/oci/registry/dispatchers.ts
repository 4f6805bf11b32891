import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isInsecure } from './is-insecure.ts';
import { isLoopback } from './place-repository.ts';

/** Of inactivity: a registry that puts a large blob together answers late. */
const TIMEOUTS = { headersTimeout: 300_000, bodyTimeout: 60_000 };
const CONNECT_TIMEOUT_MS = 15_000;

/** Which connections a request is sent over: through the proxies that the environment names, but on this machine. */
export function openDispatchers(
  ca: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  insecureHosts: readonly string[],
): { readonly choose: (url: URL) => Dispatcher } & AsyncDisposable {
  const variable = (name: string) => environment[name] ?? environment[name.toUpperCase()] ?? '';
  const proxies = {
    httpProxy: variable('http_proxy'),
    httpsProxy: variable('https_proxy'),
    noProxy: variable('no_proxy'),
  };
  const open = (tls: object, proxied: boolean): Dispatcher => {
    const options = { ...TIMEOUTS, connect: { ...tls, timeout: CONNECT_TIMEOUT_MS } };
    return proxied ? new EnvHttpProxyAgent({ ...options, ...proxies, requestTls: tls }) : new Agent(options);
  };
  const checked = { ca: [...ca] };
  const unchecked = { rejectUnauthorized: false };
  const opened = new Map<string, Dispatcher>();
  return {
    choose: (url) => {
      const isUnchecked = isInsecure(url, insecureHosts);
      const isNear = isLoopback(url.host);
      const key = `${isUnchecked} ${isNear}`;
      const dispatcher = opened.get(key) ?? open(isUnchecked ? unchecked : checked, !isNear);
      opened.set(key, dispatcher);
      return dispatcher;
    },
    // Not close(), which waits for what nobody reads any more.
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...opened.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}
