/** A newer CRIU may tell of states of which this program has not heard. */
import type { Dump } from '../criu/read-dump.ts';
import type { Refuse } from './refusals.ts';

export function refuseUnknownFields({ mm, threads }: Dump, refuse: Refuse): void {
  const lists: readonly (readonly [image: string, fields: readonly number[] | undefined])[] = [
    ['mm', mm.others],
    ...mm.vmas.map((vma) => ['mm, an area of memory', vma.others] as const),
    ...threads.flatMap(({ core: { task, threadCore, thread } }) => [
      ['core, the process', task?.others] as const,
      ['core, a thread', threadCore?.others] as const,
      ['core, registers', thread?.registers?.others] as const,
      ['core, registers', thread?.fp?.others] as const,
      ['core, registers', thread?.fp?.xsave?.others] as const,
    ]),
  ];
  for (const [image, fields = []] of lists)
    for (const field of fields)
      refuse(`CRIU's image (${image})`, `its field ${field} is not known`, 'Use CRIU 4.2; please report it');
}
