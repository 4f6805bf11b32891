import { askJitFacts } from '../../../src/criu/jit-facts.ts';

const USER = { uid: 1000, gid: 1001 };
const line = (facts: object) =>
  `${JSON.stringify({ atNs: 7_500_000_000, compilerNs: 12_000_000, awakeCompilers: 1, compilations: 40, discardedCode: 2, loadedClasses: 900, collections: 3, collectionNs: 4_500_000, ...facts })}\n`;

async function ask(stdout: string) {
  const asked: unknown[] = [];
  const container = {
    exec: async (argv: readonly string[], { user }: { readonly user?: string }) => {
      asked.push([argv.join(' '), user]);
      return { exitCode: 0, stdout, stderr: '' };
    },
  };
  return { samples: await askJitFacts(container, USER, 750, new AbortController().signal), asked };
}

test('each line is a sample, in milliseconds; what the JVM does not know is null', async () => {
  const { samples, asked } = await ask(line({}) + line({ compilations: null, collectionNs: null }));
  expect(asked).toEqual([['/opt/crac/ctl facts --for-ms 750', '1000:1001']]);
  const sample = {
    atMs: 7500,
    compilerMs: 12,
    awakeCompilers: 1,
    compilations: 40,
    discardedCode: 2,
    loadedClasses: 900,
    collections: 3,
    collectionMs: 4.5,
  };
  expect(samples).toEqual([sample, { ...sample, compilations: null, collectionMs: null }]);
});

test('a JVM that ended meanwhile has told what it told', async () => {
  const { samples } = await ask(`${line({})}{"error":"no JVM with the checkpoint agent answers here","details":[]}\n`);
  expect(samples).toHaveLength(1);
  expect((await ask('')).samples).toEqual([]);
});
