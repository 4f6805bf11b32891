/** JDK-8290025: from here on it is collections that unload code, and the option calls for more of them. */
const WITHOUT_SWEEPER = 20;

/** JVM options that crac-build puts before the user's own, each with its reason; none where the user has decided the matter. */
export function planAddedJavaOptions(
  userOptions: readonly string[],
  jdk: { readonly javaVersion: number; readonly hotSpot: boolean },
  open: { readonly resources?: 'transparent' | 'strict' | undefined; readonly policies?: string | undefined } = {},
): readonly { readonly option: string; readonly reason: string }[] {
  const agent = {
    option: '-agentpath:/opt/crac/libcrac.so',
    reason: 'the runtime that prepares the app for the checkpoint and gives it jdk.crac',
  };
  const strict = {
    option: '-Dcrac.resources=strict',
    reason: 'refuses every open file and socket that no policy allows, as the CRaC JDK does',
  };
  const policies = {
    option: '-Djdk.crac.resource-policies=/opt/crac/policies.yaml',
    reason: 'what is done with that which is open at the checkpoint',
  };
  const resources = [
    ...(open.resources === 'strict' ? [strict] : []),
    ...(open.policies === undefined ? [] : [policies]),
  ];
  if (!jdk.hotSpot) return [agent, ...resources];
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
  /** As the JVM's: made for many more than most apps have, with an entry here and there on each page. They grow where they are full. */
  const strings = {
    option: '-XX:StringTableSize=4096',
    reason: 'lets the table of interned strings begin small and grow: 0.5 MB less in the image',
  };
  const symbols = [
    {
      option: '-XX:+UnlockExperimentalVMOptions',
      reason: 'allows the next option',
    },
    {
      option: '-XX:SymbolTableSize=8192',
      reason: 'lets the table of names begin small and grow: 0.2 MB less in the image',
    },
  ];
  const sweeper = {
    option: '-XX:SweeperThreshold=0.05',
    reason: 'looks ten times as often for compiled code that was replaced, so that it is not in the image',
  };
  const processId = [
    {
      option: '-XX:CompileCommand=quiet',
      reason: 'keeps the JVM from telling of the next option',
    },
    {
      option: '-XX:CompileCommand=dontinline,java.lang.ProcessHandleImpl::*',
      reason: 'compiled code asks for the process id instead of keeping the one of the build',
    },
  ];
  return [
    agent,
    ...resources,
    ...processId,
    ...(userHas(/^-XX:[+-]PerfDisableSharedMem$|^-XX:-UsePerfData$/) ? [] : [perfData]),
    ...(userHas(/^-XX:ArchiveRelocationMode=|^-Xshare:off$/) ? [] : archive),
    ...(userHas(/^-XX:StringTableSize=/) ? [] : [strings]),
    ...(userHas(/^-XX:SymbolTableSize=/) ? [] : symbols),
    ...(jdk.javaVersion >= WITHOUT_SWEEPER || userHas(/^-XX:SweeperThreshold=/) ? [] : [sweeper]),
  ];
}
