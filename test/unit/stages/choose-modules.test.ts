import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeModulesKey } from '../../../src/stages/choose-modules.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'choose-modules-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function makeJdk(): Promise<{ path: string; modules: string[] }> {
  const path = join(dir, 'jdk');
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'release'), 'JAVA_VERSION="17.0.15"\n');
  return { path, modules: ['java.base'] };
}

async function makeClasses(name: string, content: string, file = 'app/Main.class'): Promise<string> {
  const folder = join(dir, name);
  await mkdir(join(folder, 'app'), { recursive: true });
  await writeFile(join(folder, file), content);
  return folder;
}

describe('the key of what jdeps finds', () => {
  it('is of names and content of a folder of classes', async () => {
    const jdk = await makeJdk();
    const key = await composeModulesKey(jdk, [await makeClasses('one', 'a')]);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(await composeModulesKey(jdk, [await makeClasses('same', 'a')])).toBe(key);
    expect(await composeModulesKey(jdk, [await makeClasses('other', 'b')])).not.toBe(key);
    expect(await composeModulesKey(jdk, [await makeClasses('renamed', 'a', 'app/Other.class')])).not.toBe(key);
  });

  it('is of the bytes of a jar beside it', async () => {
    const jdk = await makeJdk();
    const folder = await makeClasses('beside', 'a');
    const jar = join(dir, 'lib.jar');
    await writeFile(jar, 'one');
    const key = await composeModulesKey(jdk, [folder, jar]);
    await writeFile(jar, 'two');
    expect(await composeModulesKey(jdk, [folder, jar])).not.toBe(key);
  });
});
