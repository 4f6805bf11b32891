import { hasSecretValue, isSecretName } from './secrets.ts';

/** What browsers and proxies write by themselves, and what would ask for less than the whole answer. */
const NOISE =
  /^(?::|sec-|x-forwarded-|x-real-ip|cf-|x-b3-|x-datadog-|if-|proxy-)|^(?:host|cookie|cookie2|connection|keep-alive|content-length|accept-encoding|user-agent|accept-language|origin|referer|cache-control|pragma|dnt|te|priority|upgrade|upgrade-insecure-requests|transfer-encoding|expect|via|forwarded|traceparent|tracestate|baggage|b3|purpose|x-request-id|x-correlation-id|range|save-data|downlink|rtt|ect)$/;

/** Names in lower case. Secrets are told by their name, never by their value; of cookies the app sets its own. */
export function keepHeaders(headers: readonly { readonly name: string; readonly value: string }[]): {
  readonly kept: Readonly<Record<string, string>>;
  /** Names. */
  readonly secrets: readonly string[];
} {
  const kept: Record<string, string> = {};
  const secrets = new Set<string>();
  for (const { name, value } of headers) {
    const header = name.toLowerCase();
    if (NOISE.test(header)) continue;
    if (isSecretName(header) || hasSecretValue(value)) secrets.add(header);
    else if (value !== '*/*' && !value.includes('{{')) kept[header] = header === 'accept' ? firstType(value) : value;
  }
  return { kept, secrets: [...secrets] };
}

/** Browsers list all that they can show. */
function firstType(accept: string): string {
  return accept.split(/[,;]/, 1)[0]?.trim() ?? accept;
}
