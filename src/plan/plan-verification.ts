import type { Settings } from '../config/settings.ts';
import type { VerifiedImage } from '../stages/read-verified-image.ts';
import type { AnswerProbe } from '../warm-up/probe.ts';
import type { WarmUpPlan } from '../warm-up/scenario.ts';
import type { Service } from '../warm-up/service.ts';
import { planAnswer, planReadiness } from './plan-readiness.ts';
import { planServices } from './plan-services.ts';
import { planWarmUp } from './plan-warm-up.ts';

export interface Verification {
  readonly name: string;
  readonly app: {
    readonly user: VerifiedImage['user'];
    readonly ports: readonly number[];
    /** Absent: the app was an image itself. */
    readonly source?: 'image';
  };
  readonly network: 'isolated' | 'host';
  readonly services: readonly Service[];
  readonly warmUp: WarmUpPlan;
  readonly verify: { readonly enabled: true; readonly timeoutMs: number; readonly answer?: AnswerProbe };
}

/** How an image is tried. With the settings that it was built with: beside its services and with the requests of its warm-up. */
export function planVerification(image: VerifiedImage, settings: Settings | undefined): Verification {
  const { name, user } = image;
  const ports = settings?.app?.ports ?? image.ports;
  const port = ports[0] ?? 8080;
  const isAsked = settings !== undefined && image.answer !== undefined;
  const readiness = isAsked ? planReadiness({ ...settings, app: { ...settings.app, ports: [...ports] } }) : undefined;
  const trigger = settings?.checkpoint?.trigger ?? 'build';
  const warmUp = planWarmUp(settings ?? { warmUp: { requests: [] } }, readiness, { port, ports }, trigger);
  const answer = readiness === undefined ? image.answer : planAnswer(readiness, warmUp, ports);
  return {
    name,
    app: { user, ports, ...(image.isImageApp ? {} : { source: 'image' }) },
    network: settings?.network ?? 'isolated',
    services: settings === undefined ? [] : planServices(settings),
    warmUp,
    verify: {
      enabled: true,
      timeoutMs: settings?.verify?.timeout ?? 30_000,
      ...(answer === undefined ? {} : { answer }),
    },
  };
}
