import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { addInspectFlags, runInspect } from '../../../src/cli/inspect-command.ts';
import { addMergeFlags, runMerge } from '../../../src/cli/merge-command.ts';
import { addValidateFlags, runValidate } from '../../../src/cli/validate-command.ts';
import { addVerifyFlags, runVerify } from '../../../src/cli/verify-command.ts';

/** A registry whose certificate nobody vouches for, and which knows no image. */
let server: Server;
let host: string;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'insecure-test-'));
  const pem = readFileSync(join(import.meta.dirname, '../warm-up/app.example.pem'));
  server = createServer({ key: pem, cert: pem }, (_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

const { signal } = new AbortController();
const image = () => `registry:${host}/orders:1`;
const context = { signal, report: () => undefined };
const output = () => [{ kind: 'oci', dir: join(dir, 'out') } as const];

test.each([
  ['inspect', addInspectFlags, (flags) => runInspect(image(), flags, signal)],
  ['inspect --plan', addInspectFlags, (flags) => runInspect(undefined, { ...flags, plan: image() }, signal)],
  ['validate', addValidateFlags, (flags) => runValidate(image(), signal, flags)],
  ['merge', addMergeFlags, (flags) => runMerge([image()], { ...flags, output: output() }, signal)],
  ['verify', addVerifyFlags, (flags) => runVerify(image(), { ...flags, start: false }, context)],
] as readonly [string, (command: Command) => Command, (flags: object) => Promise<unknown>][])(
  '%s takes images from registries with any certificate only where --insecure says so',
  async (_name, addFlags, run) => {
    const parse = (...argv: string[]) =>
      addFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
        .parse([image(), '--output', 'oci:out', ...argv].slice(addFlags === addMergeFlags ? 0 : 3), { from: 'user' })
        .opts<{ readonly insecure?: readonly string[] }>();
    await expect(run({})).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('is not trusted'),
    });
    const { insecure } = parse('x', '--insecure', 'other.example:5000', '--insecure', host);
    expect(insecure).toEqual(['other.example:5000', host]);
    await expect(run({ insecure })).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' });
    expect(() => parse('x', '--insecure', 'https://other.example')).toThrow('Expected "HOST" or "HOST:PORT"');
  },
);
