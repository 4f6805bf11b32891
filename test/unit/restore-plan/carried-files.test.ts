import { carryTemporaryFiles } from '../../../src/restore-plan/carried-files.ts';
import type { MappedFile } from '../../../src/restore-plan/mapped-files.ts';

const file = (path: string, fill = 0xab): MappedFile => ({
  id: 1,
  path,
  sizeBytes: 5,
  mtimeSeconds: 7.5,
  sha256: Buffer.alloc(32, fill),
  localPath: `/work${path}`,
});

test('libraries in temporary folders get a place of ours, named by their content', () => {
  const [one, two] = [file('/tmp/libnative123.so'), file('/var/tmp/a/libnative123.so', 0xcd)];
  expect([...carryTemporaryFiles([one, two], [one.path, two.path])]).toEqual([
    [
      one,
      {
        imagePath: '/opt/crac/files/abababababababab/libnative123.so',
        sizeBytes: 5,
        localPath: '/work/tmp/libnative123.so',
      },
    ],
    [two, expect.objectContaining({ imagePath: '/opt/crac/files/cdcdcdcdcdcdcdcd/libnative123.so' })],
  ]);
});

test('what lies elsewhere stays where it is', () => {
  const paths = ['/opt/java/lib/libjava.so', '/app/tmp/lib.so', '/tmpfile.so', '/usr/lib/run/lib.so'];
  expect(
    carryTemporaryFiles(
      paths.map((path) => file(path)),
      paths,
    ).size,
  ).toBe(0);
});

test('data stays where it is, and what was carried once is carried again', () => {
  const [index, again] = [file('/tmp/index.bin'), file('/opt/crac/files/abababababababab/libnative.so')];
  expect([...carryTemporaryFiles([index, again], [again.path]).keys()]).toEqual([again]);
});
