import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { type ReportEvent, STAGES, type Stage } from './event.ts';
import { renderWarning } from './plain-renderer.ts';
import { renderDuration } from './render-duration.ts';
import type { Renderer } from './renderer.ts';

interface Handle {
  title: string;
  output: string;
}

/**
 * A list of the stages that ticks them off. listr2 wants to run its tasks itself; here a task only waits for its stage's
 * events.
 */
export function openTerminalRenderer(stream: NodeJS.WriteStream): Renderer {
  const stages = new Map(STAGES.map((stage) => [stage, openGate()]));
  const handles = new Map<Stage, Handle>();
  const skipped = new Map<Stage, string>();
  const warnings: string[] = [];
  let current: Handle | undefined;
  const gate = (stage: Stage) => stages.get(stage) ?? openGate();

  const list = new Listr(
    STAGES.map((stage) => ({
      title: stage,
      task: async (_: unknown, handle: Handle) => {
        handles.set(stage, handle);
        const why = skipped.get(stage);
        if (why !== undefined) handle.title = `${stage}: ${why}`;
        await gate(stage).ended;
      },
    })),
    {
      exitOnError: true,
      /** Ctrl-C is ours: the build has things to remove first. */
      registerSignalListeners: false,
      renderer: 'default',
      /** The caller has looked at `stream`; listr2 would look at stdout. */
      forceTTY: true,
      rendererOptions: {
        collapseErrors: false,
        showErrorMessage: false,
        lazy: false,
        logger: new ListrLogger({
          useIcons: true,
          toStderr: [],
          processOutput: new ProcessOutput(stream, stream),
        }),
      },
    },
  );
  /** A failed stage is told by the error itself. */
  const shown = list.run().catch(() => {});

  return {
    report: (event) => {
      if (event.type === 'warning') {
        warnings.push(renderWarning(event));
        if (current !== undefined) current.output = event.message;
        return;
      }
      if (event.type === 'stages-skipped') {
        for (const stage of event.stages) {
          skipped.set(stage, event.why);
          gate(stage).pass();
        }
        return;
      }
      current = handles.get(event.stage);
      show(event, current, gate(event.stage));
    },
    finish: async () => {
      for (const { fail } of stages.values()) fail();
      await shown;
      for (const warning of warnings) stream.write(`${warning}\n`);
    },
  };
}

function show(
  event: Exclude<ReportEvent, { type: 'warning' | 'stages-skipped' }>,
  handle: Handle | undefined,
  gate: Gate,
): void {
  switch (event.type) {
    case 'stage-started':
      return;
    case 'stage-progress':
      if (handle !== undefined) handle.output = event.text;
      return;
    case 'stage-finished':
      if (handle !== undefined) handle.title = `${event.stage}: ${event.summary} (${renderDuration(event.durationMs)})`;
      gate.pass();
      return;
    case 'stage-failed':
      gate.fail();
  }
}

interface Gate {
  readonly ended: Promise<void>;
  readonly pass: () => void;
  readonly fail: () => void;
}

function openGate(): Gate {
  let pass = () => {};
  let fail = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    pass = resolve;
    fail = () => reject(new Error('failed'));
  });
  /** Stages that were never reached have nobody waiting. */
  ended.catch(() => {});
  return { ended, pass, fail };
}
