/** Stands for what was left out; to be replaced by a synthetic value, never by a production secret: it will be in the image. */
export const PLACEHOLDER = 'REPLACE-ME';

/** Words of names: "X-Auth-Token", "accessKey" and "session_id" each have one. */
const SECRET_WORDS = new Set(
  (
    'auth authorization authentication token tokens secret password passwd passphrase pwd pass pin otp totp cookie cookies session ' +
    'sessionid sid jsessionid phpsessid csrf xsrf csrftoken apikey accesskey secretkey credential credentials signature sig hmac ' +
    'jwt bearer assertion nonce saml ssn cvc cvv iban cardnumber'
  ).split(' '),
);
/** "key" alone names many harmless things. */
const SECRET_PAIRS =
  /(api|access|secret|private|subscription|client|encryption|auth|functions?)-key|card-number|code-verifier|auth-code/;

export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3-$2$4')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => SECRET_WORDS.has(word)) || SECRET_PAIRS.test(words.join('-'));
}

/** JSON Web Tokens, HTTP credentials, PEM, and tokens with the prefixes by which their issuers let them be found. */
const SECRET_VALUE =
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:Basic|Bearer|Digest|Negotiate)\s+[\w+/=.-]{8,}|-----BEGIN |\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\b(?:gh[pousr]|github_pat|glpat|xox[abprs]|sk_live|rk_live|sk-[a-z]+)[_-][\w-]{10,}/;

export function hasSecretValue(text: string): boolean {
  return SECRET_VALUE.test(text);
}

/** The path with secrets of its query replaced, the names of their parameters told; undefined where one is in the path itself. */
export function maskPath(path: string): { readonly path: string; readonly masked: readonly string[] } | undefined {
  const [plain = '', query] = splitOnce(path, '?');
  if (hasSecretValue(decode(plain)) || /;jsessionid=/i.test(plain)) return undefined;
  if (query === undefined) return { path, masked: [] };
  const masked: string[] = [];
  const pairs = query.split('&').map((pair) => {
    const [name = '', value] = splitOnce(pair, '=');
    if (value === undefined || !isSecret(decode(name), decode(value))) return pair;
    masked.push(decode(name));
    return `${name}=${PLACEHOLDER}`;
  });
  return { path: `${plain}?${pairs.join('&')}`, masked };
}

/** OAuth's `code` and a bare `key` are words like any other unless their values look drawn by chance. */
export function isSecret(name: string, value: string): boolean {
  const isDrawn = /^(?=.*\d)[\w./-]{16,}$/.test(value);
  return isSecretName(name) || hasSecretValue(value) || (/^(?:code|key)$/i.test(name) && isDrawn);
}

/** JSON with secrets replaced, and where they were: "user.password". */
export function maskJson(value: unknown): { readonly value: unknown; readonly masked: readonly string[] } {
  const masked: string[] = [];
  const visit = (item: unknown, path: string, name: string): unknown => {
    if (Array.isArray(item)) return item.map((child, index) => visit(child, `${path}[${index}]`, name));
    if (typeof item === 'object' && item !== null)
      return Object.fromEntries(
        Object.entries(item).map(([key, child]) => [key, visit(child, path === '' ? key : `${path}.${key}`, key)]),
      );
    const isText = typeof item === 'string' || typeof item === 'number';
    if (!isText || item === '' || !isSecret(name, String(item))) return item;
    masked.push(path);
    return PLACEHOLDER;
  };
  return { value: visit(value, '', ''), masked };
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + separator.length)];
}

/** As forms and queries are written; what is damaged stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
