/**
 * Whether a host is one of those that people have named as insecure. "HOST:443" and "HOST" are the same over https, and capital
 * letters count for nothing.
 */
export function isInsecure({ protocol, host }: URL, insecureHosts: readonly string[]): boolean {
  return insecureHosts.some((named) => {
    const text = `${protocol}//${named}`;
    return URL.canParse(text) && new URL(text).host === host;
  });
}
