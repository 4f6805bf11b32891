/** `warmUp.services` in crac-build.yaml. */
import { z } from 'zod';
import { duration, port, regex, status, text, urlPath } from './schema-words.ts';

/** One form; `timeout` goes with each. */
const FORMS = [['tcp'], ['log'], ['command'], ['port', 'path', 'status', 'contains']] as const;

const health = z
  .strictObject({
    port: port.optional(),
    path: urlPath.optional(),
    status: status.optional(),
    contains: z.string().min(1, { error: 'expected a text' }).optional(),
    tcp: port.optional(),
    log: regex.optional(),
    command: z.array(text).min(1).optional(),
    timeout: duration.optional(),
  })
  .superRefine((given, context) => {
    const [first, second] = FORMS.flatMap((keys) => keys.filter((key) => key in given).slice(0, 1));
    if (second !== undefined)
      context.addIssue({ code: 'custom', path: [second], message: `expected one form, found ${first} and ${second}` });
  });

const service = z
  .strictObject({
    name: z.string().regex(/^(?!localhost$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
      error: 'expected a host name of lower-case letters, digits and "-"',
    }),
    image: z.string().min(1, { error: 'expected an image, or "oci:DIR"' }).optional(),
    process: z.array(text).min(1).optional(),
    command: z.array(text).min(1).optional(),
    environment: z.record(z.string(), text).optional(),
    user: text.optional(),
    ports: z.array(port).optional(),
    health: health.optional(),
  })
  .superRefine((given, context) => {
    const fail = (message: string, ...path: string[]) => context.addIssue({ code: 'custom', path, message });
    if ((given.image === undefined) === (given.process === undefined)) fail('expected one of image, process');
    if (given.process !== undefined && given.command !== undefined)
      fail('expected no command beside process, which is one', 'command');
    if (given.health === undefined && (given.ports ?? []).length === 0)
      fail('expected ports or health, to see when it is there');
  });

export const servicesSchema = z.array(service).superRefine((services, context) => {
  for (const [index, { name }] of services.entries()) {
    if (services.findIndex((other) => other.name === name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: `there is another service "${name}"` });
  }
});
