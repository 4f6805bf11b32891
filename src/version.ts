/** Put in by the build (scripts/build.mjs), from package.json. */
declare const CRAC_BUILD_VERSION: string | undefined;

export const VERSION = typeof CRAC_BUILD_VERSION === 'string' ? CRAC_BUILD_VERSION : '0.0.0-dev';
