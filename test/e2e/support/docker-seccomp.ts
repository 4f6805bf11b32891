/** Profiles in the format of Docker, Podman and their relatives → `linux.seccomp` of an OCI runtime's config.json. */
interface DockerProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly object[] | null;
    readonly includes?: Conditions;
    readonly excludes?: Conditions;
  }[];
}
interface Conditions {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
}

/** For x86-64 and a container without capabilities. */
export function convertProfile({ defaultAction, defaultErrnoRet, syscalls }: DockerProfile): object {
  return {
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    architectures: ['SCMP_ARCH_X86_64'],
    syscalls: syscalls
      .filter(({ includes = {}, excludes = {} }) => {
        const isForUs = (includes.caps ?? []).length === 0 && (includes.arches?.includes('amd64') ?? true);
        return isForUs && !(excludes.arches?.includes('amd64') ?? false);
      })
      .map(({ names, action, errnoRet, args }) => ({
        ...{ names, action },
        ...(errnoRet !== undefined && { errnoRet }),
        ...(args != null && args.length > 0 && { args }),
      })),
  };
}
