/** Docker 23.0 or newer, the first that knows CAP_CHECKPOINT_RESTORE by name and reads layers compressed with zstd. */
export function isDocker23(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 42);
}
