/** Aborts `limitMs` after `signal` does, and not while it does not. */
export function outlive(signal: AbortSignal, limitMs: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer = setTimeout(() => controller.abort(signal.reason), limitMs);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', start);
      clearTimeout(timer);
    },
  };
}
