/** In words, where Node.js has numbers, places in OpenSSL's sources, or none. */
export function renderNetworkError(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'connection refused';
  if (error.code === 'ECONNRESET') return 'the connection was closed without an answer';
  const tls = /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1];
  if (tls === 'wrong version number') return 'what answered does not speak TLS';
  if (tls !== undefined) return `TLS failed: ${tls}`;
  return error.message === '' ? `${error.code ?? error.name}` : error.message;
}
