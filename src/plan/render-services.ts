import { renderDuration } from '../report/render-duration.ts';
import { renderExpected } from '../warm-up/probe.ts';
import { renderHealth, renderSource, type Service } from '../warm-up/service.ts';
import type { BuildPlan } from './build-plan.ts';

export function renderServices({ services }: BuildPlan): readonly string[] {
  if (services.length === 0) return [];
  return ['services, beside the app in all of its starts:', ...services.flatMap(renderService)];
}

function renderService(service: Service): readonly string[] {
  const { name, source, command, environment, user, health, timeoutMs } = service;
  const variables = Object.keys(environment);
  return [
    `  ${name}: ${renderSource(source)}${command === undefined ? '' : ` with \`${command.join(' ')}\``}${user === undefined ? '' : ` as ${user}`}`,
    ...(variables.length === 0 ? [] : [`    environment: ${variables.join(', ')}`]),
    `    healthy: ${renderHealth(service)} is to ${renderExpected(health)} within ${renderDuration(timeoutMs)}`,
  ];
}
