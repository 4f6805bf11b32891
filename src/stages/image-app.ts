/** Whether the app is in the base, with an entrypoint of its own. */
export function isImageApp({ app }: { readonly app: { readonly source?: unknown } }): boolean {
  return app.source === undefined;
}
