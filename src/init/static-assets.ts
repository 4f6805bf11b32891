/** Files that a browser fetches to show a page; most come from a cache or a CDN, and warm little. */
const EXTENSION =
  /\.(?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|bmp|woff2?|ttf|otf|eot|mp[34]|webm|ogg|wasm|webmanifest)$/i;
const MEDIA_TYPE =
  /^(?:image|font|audio|video)\/|^(?:text|application)\/(?:x-)?(?:css|javascript|ecmascript|font-|wasm)/i;

export function isStaticAsset(path: string, mediaType = ''): boolean {
  return MEDIA_TYPE.test(mediaType) || EXTENSION.test(path.replace(/[?#].*$/s, ''));
}
