/** JVM options that crac-build puts before the user's own, each with its reason; none where the user has decided the matter. */
export function planAddedJavaOptions(
  userOptions: readonly string[],
  jdk: { readonly hotSpot: boolean },
): readonly { readonly option: string; readonly reason: string }[] {
  const agent = {
    option: '-agentpath:/opt/crac/libcrac.so',
    reason: 'the runtime that prepares the app for the checkpoint and gives it jdk.crac',
  };
  if (!jdk.hotSpot) return [agent];
  const userHas = (pattern: RegExp) => userOptions.some((option) => pattern.test(option));
  const perfData = {
    option: '-XX:+PerfDisableSharedMem',
    reason: 'keeps the performance counters out of a file in /tmp, which a dump cannot hold',
  };
  /** The first only unlocks the second; in this order, or the JVM does not start. */
  const archive = [
    {
      option: '-XX:+UnlockDiagnosticVMOptions',
      reason: 'allows the next option',
    },
    {
      option: '-XX:ArchiveRelocationMode=0',
      reason: 'leaves the class archive at its own address: 6 MB fewer changed pages in the image',
    },
  ];
  return [
    agent,
    ...(userHas(/^-XX:[+-]PerfDisableSharedMem$|^-XX:-UsePerfData$/) ? [] : [perfData]),
    ...(userHas(/^-XX:ArchiveRelocationMode=|^-Xshare:off$/) ? [] : archive),
  ];
}
