/** One entry of WWW-Authenticate: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 */
export interface Challenge {
  /** In lower case: "bearer", "basic". */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 *     challenges = scheme [ parameter { "," parameter } ] { "," challenges }
 *     parameter  = token "=" ( token | quoted-string )
 *
 * Several headers are read as one. What is of no such form is passed over.
 */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const pieces = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;
  for (const [, name = '', quoted, plain] of text.matchAll(pieces)) {
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else Object.assign(challenges.at(-1)?.parameters ?? {}, { [name.toLowerCase()]: value });
  }
  return challenges;
}
