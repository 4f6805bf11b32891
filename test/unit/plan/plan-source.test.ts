import type { AppSource } from '../../../src/jar/app-source.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { renderPlan } from '../../../src/plan/render-plan.ts';
import { composeColdCommand } from '../../../src/stages/runtime-layer.ts';
import { jarSource, SAMPLE_FACTS } from '../../support/sample-plan.ts';

const SPLIT: AppSource = {
  ...jarSource('/work/orders-1.4.2.jar'),
  title: 'a Spring Boot jar, taken apart as its BOOT-INF/layers.idx says',
  layers: [
    {
      name: 'dependencies',
      kind: 'dependencies',
      parts: [
        {
          kind: 'entries',
          from: '/work/orders-1.4.2.jar',
          entries: ['BOOT-INF/lib/a.jar', 'BOOT-INF/lib/b.jar'],
          to: 'lib',
        },
      ],
    },
    {
      name: 'application',
      kind: 'app',
      parts: [
        { kind: 'thin-jar', from: '/work/orders-1.4.2.jar', classPath: ['lib/a.jar', 'lib/b.jar'], to: '{main}.jar' },
      ],
    },
  ],
};
const CLASSES: AppSource = {
  title: 'an installation, as bin/orders starts it',
  path: '/work/build/install/orders',
  name: 'orders',
  start: { kind: 'class', classPath: ['lib/orders.jar', 'classes', ''], mainClass: 'orders.Main' },
  layers: [
    {
      name: 'application',
      kind: 'app',
      parts: [
        { kind: 'file', from: '/x/orders.jar', to: 'lib/orders.jar' },
        { kind: 'folder', from: '/x/classes', to: 'classes' },
        { kind: 'folder', from: '/x/all', to: '' },
      ],
    },
  ],
  analysed: { paths: [], nested: false },
  javaOptions: ['-Xmx64m'],
};

const linesOf = (source: AppSource) => {
  const lines = renderPlan(planBuild({}, { ...SAMPLE_FACTS, source })).split('\n');
  const at = lines.findIndex((line) => line.startsWith('app: '));
  return lines.slice(
    at,
    lines.findIndex((line) => line.startsWith('  user: ')),
  );
};

test('a jar that is taken apart is started by the name of the image, and its layers are told', () => {
  const { app, command } = planBuild({}, { ...SAMPLE_FACTS, source: SPLIT });
  expect(command.argv.slice(-2)).toEqual(['-jar', '/app/orders.jar']);
  expect(app.source?.layers[1]?.parts[0]).toMatchObject({ to: 'orders.jar' });
  expect(linesOf(SPLIT)).toEqual([
    'app: /work/orders-1.4.2.jar as /app/orders.jar',
    '  a Spring Boot jar, taken apart as its BOOT-INF/layers.idx says',
    '  layer dependencies: 2 jars',
    "  layer application: orders.jar with the app's own classes",
  ]);
});

test('a class path, with the options of a start script before the user’s own', () => {
  const plan = planBuild({ app: { javaOptions: ['-Xmx1g'], arguments: ['x'] } }, { ...SAMPLE_FACTS, source: CLASSES });
  const classPath = '/app/lib/orders.jar:/app/classes:/app';
  expect(plan.command.argv.slice(-6)).toEqual(['-Xmx64m', '-Xmx1g', '-cp', classPath, 'orders.Main', 'x']);
  expect(plan.command.argv[plan.command.jvmOptionIndex]).toBe('-cp');
  expect(linesOf(CLASSES)).toEqual([
    `app: /work/build/install/orders as ${classPath}`,
    '  an installation, as bin/orders starts it',
    '  layer application: lib/orders.jar, classes/, all of /x/all',
  ]);
});

test('a library of the image’s own name keeps it', () => {
  const [layer] = jarSource('/work/orders-1.jar').layers;
  const parts = [...(layer?.parts ?? []), { kind: 'file', from: '/work/orders.jar', to: 'orders.jar' } as const];
  const source: AppSource = {
    ...jarSource('/work/orders-1.jar'),
    layers: [{ name: 'application', kind: 'app', parts }],
  };
  const plan = planBuild({}, { ...SAMPLE_FACTS, source });
  expect(plan.command.argv.at(-1)).toBe('/app/orders-app.jar');
  expect(plan.app.source?.layers[0]?.parts.map(({ to }) => to)).toEqual(['orders-app.jar', 'orders.jar']);
});

test('a command line that the restorer could not read is refused', () => {
  const classPath = Array.from({ length: 2000 }, (_, index) => `lib/a-library-with-a-long-name-${index}.jar`);
  const source = { ...CLASSES, start: { kind: 'class', classPath, mainClass: 'M' } } as const;
  const { command } = planBuild({}, { ...SAMPLE_FACTS, source });
  expect(() => composeColdCommand(command)).toThrow(/has \d{5,} bytes, and may have 65534/);
});
