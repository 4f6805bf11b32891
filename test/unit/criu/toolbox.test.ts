import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAptArchive } from '../../../src/criu/apt-archive.ts';
import { exportToolbox, importToolbox } from '../../../src/criu/carry-toolbox.ts';
import { parseCpu } from '../../../src/criu/control.ts';
import { parseCriuVersion, requireCriuVersion } from '../../../src/criu/criu-version.ts';
import { readElfNeeds } from '../../../src/criu/read-elf.ts';
import { checkToolbox, openToolbox, toolboxFolder } from '../../../src/criu/toolbox.ts';

const signal = new AbortController().signal;
let dir: string;
let cacheDir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'crac-build-toolbox-'));
  cacheDir = join(dir, 'cache');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A true program that only knows its version. */
function compileCriu(version: string, ...flags: readonly string[]): string {
  const path = join(dir, `criu-${version}${flags.join('')}`);
  const source = `#include <stdio.h>\nint main(void) { puts("Version: ${version}\\nGitID: v${version}"); return 0; }\n`;
  execFileSync('gcc', ['-x', 'c', '-o', path, ...flags, '-'], { input: source });
  return path;
}

test('--criu takes the program with its libraries, and it runs from where it was put', async () => {
  const criu = compileCriu('4.3', '-lm', '-Wl,--no-as-needed');
  const toolbox = await openToolbox({ criu, cacheDir, signal });
  expect(toolbox.criuVersion).toBe('4.3');
  expect(toolbox.criuCommand).toEqual(['{}/lib/ld-linux-x86-64.so.2', '--library-path', '{}/lib', '{}/criu']);
  expect(readdirSync(join(toolbox.dir, 'lib'))).toEqual(expect.arrayContaining(['libc.so.6']));
  expect(await openToolbox({ criu, cacheDir, signal })).toEqual(toolbox);
}, 60_000);

test('a static CRIU needs no loader', async () => {
  const toolbox = await openToolbox({ criu: compileCriu('4.2', '-static'), cacheDir, signal });
  expect(toolbox.criuCommand).toEqual(['{}/criu']);
}, 60_000);

test('what is no CRIU, or too old a one, is refused, and nothing stays', async () => {
  const script = join(dir, 'script');
  writeFileSync(script, '#!/bin/sh\necho "Version: 4.2"\n');
  chmodSync(script, 0o755);
  for (const criu of [script, compileCriu('4.1.1'), '/bin/true']) {
    await expect(openToolbox({ criu, cacheDir, signal })).rejects.toMatchObject({ code: 'CRIU_UNSUITABLE' });
  }
  await expect(openToolbox({ criu: join(dir, 'none'), cacheDir, signal })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
  });
  await expect(openToolbox({ dir, cacheDir, signal })).rejects.toMatchObject({ code: 'TOOLBOX_MISSING' });
  expect(readdirSync(join(cacheDir, 'toolbox'))).toEqual([]);
}, 60_000);

test('a toolbox whose CRIU is not what it says is refused', async () => {
  const toolbox = await openToolbox({ criu: compileCriu('4.2.1'), cacheDir, signal });
  const file = join(toolbox.dir, 'toolbox.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('4.2.1', '4.9'));
  await expect(checkToolbox(toolbox.dir, signal)).rejects.toMatchObject({ code: 'CRIU_UNSUITABLE' });
}, 60_000);

test('export and import give the same toolbox; a wrong digest or file changes nothing', async () => {
  const toolbox = await openToolbox({ criu: compileCriu('4.2.1'), cacheDir, signal });
  const file = join(dir, 'toolbox.tar.gz');
  const { digest } = await exportToolbox(toolbox, file);
  expect(await exportToolbox(toolbox, file)).toMatchObject({ digest });

  const imported = await importToolbox(file, { digest, cacheDir, signal });
  expect(imported).toEqual({ ...toolbox, dir: toolboxFolder(cacheDir) });
  expect(await openToolbox({ cacheDir, signal })).toEqual(imported);

  const wrong = `sha256:${'0'.repeat(64)}`;
  await expect(importToolbox(file, { digest: wrong, cacheDir, signal })).rejects.toMatchObject({
    code: 'TOOLBOX_MISSING',
    message: expect.stringContaining(digest),
  });
  writeFileSync(join(dir, 'broken'), 'no tar');
  await expect(importToolbox(join(dir, 'broken'), { cacheDir, signal })).rejects.toMatchObject({
    code: 'TOOLBOX_MISSING',
  });
  await expect(importToolbox(file, { digest: 'sha256:abc', cacheDir, signal })).rejects.toMatchObject({
    code: 'USAGE',
  });
  expect(await checkToolbox(toolboxFolder(cacheDir), signal)).toEqual(imported);
  expect(readdirSync(join(cacheDir, 'toolbox')).filter((name) => /partial|previous|download/.test(name))).toEqual([]);
}, 60_000);

test('a toolbox is taken from a URL when the digest is given', async () => {
  const toolbox = await openToolbox({ criu: compileCriu('4.2.1', '-static'), cacheDir, signal });
  const file = join(dir, 'toolbox.tar.gz');
  const { digest } = await exportToolbox(toolbox, file);
  const server = createServer((request, response) => {
    if (request.url === '/toolbox') response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(importToolbox(`${url}/toolbox`, { cacheDir, signal })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(importToolbox(`${url}/none`, { digest, cacheDir, signal })).rejects.toMatchObject({
      code: 'TOOLBOX_MISSING',
      message: expect.stringContaining('404'),
    });
    expect(await importToolbox(`${url}/toolbox`, { digest, cacheDir, signal })).toMatchObject({ criuVersion: '4.2.1' });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}, 60_000);

test('the needs of a program are read from its headers', async () => {
  const needs = await readElfNeeds(compileCriu('1.0', '-Wl,--no-as-needed', '-lm'));
  expect(needs?.interpreter).toMatch(/ld-linux/);
  expect(needs?.libraries).toEqual(expect.arrayContaining(['libc.so.6']));
  expect(needs?.names.split('\0')).toEqual(expect.arrayContaining(['libc.so.6', '__libc_start_main']));
  expect(needs?.names).not.toContain('.shstrtab');
  const nothing = { interpreter: undefined, libraries: [], names: '' };
  expect(await readElfNeeds(compileCriu('1.1', '-static'))).toEqual(nothing);
  writeFileSync(join(dir, 'text'), 'text');
  expect(await readElfNeeds(join(dir, 'text'))).toBeUndefined();
}, 60_000);

test('the Debian archive is found as apt knows it', async () => {
  mkdirSync(join(dir, 'apt'));
  const sources = join(dir, 'apt/debian.sources');
  writeFileSync(
    sources,
    'Types: deb\nURIs: http://x.invalid/debian\n\nTypes: deb\nSigned-By: /keys/debian.gpg\nURIs: …\n',
  );
  const record = (facts: Record<string, string>): string =>
    Object.entries(facts)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join('');
  const other = { 'Repo-URI': 'http://x.invalid/tool/', Origin: 'Tool', Label: 'Tool', Component: 'main' };
  const security = {
    'Repo-URI': 'http://x.invalid/sec/',
    Origin: 'Debian',
    Label: 'Debian-Security',
    Component: 'main',
  };
  const main = {
    'Repo-URI': 'http://x.invalid/debian/',
    Origin: 'Debian',
    Label: 'Debian',
    Component: 'main',
    Sourcesentry: `${sources}:4`,
  };
  const config = 'Acquire::Check-Valid-Until "false";\nAcquire::http::Proxy "";\nAcquire::Languages "none";\n';
  expect(await readAptArchive([other, security, main].map(record).join('\n'), config)).toEqual({
    uri: 'http://x.invalid/debian/',
    keyring: '/keys/debian.gpg',
    options: ['Acquire::Check-Valid-Until "false"'],
  });
  expect(await readAptArchive([other, security].map(record).join('\n'), config)).toBeUndefined();
}, 60_000);

test('versions are compared as numbers', () => {
  expect(parseCriuVersion('Version: 4.2.1\nGitID: v4.2.1\n')).toBe('4.2.1');
  expect(parseCriuVersion('usage')).toBeUndefined();
  for (const version of ['4.2', '4.2.1', '4.10', '5.0']) expect(() => requireCriuVersion(version, 'x')).not.toThrow();
  for (const version of ['3.17.1', '4.1.9', '4.0']) {
    expect(() => requireCriuVersion(version, 'x')).toThrow(expect.objectContaining({ code: 'CRIU_UNSUITABLE' }));
  }
}, 60_000);

test('cpuid lines are read as hexadecimal numbers', () => {
  expect(parseCpu('7 0 ffffffff 0 a 1\nffffff00 0 e7 0 0 0\n')).toEqual([
    { leaf: 7, subleaf: 0, registers: [0xffffffff, 0, 10, 1] },
    { leaf: 0xffffff00, subleaf: 0, registers: [0xe7, 0, 0, 0] },
  ]);
  expect(() => parseCpu('7 0 1 2')).toThrow(expect.objectContaining({ code: 'CHECKPOINT_FAILED' }));
}, 60_000);
