import { realpathSync } from 'node:fs';
import { findOwners, parseDpkgStatus } from '../../../src/sbom/debian-packages.ts';

test('the status of dpkg: what is installed, with the source that it came from', () => {
  const text = `Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36)
Version: 2.36-9
Description: GNU C Library
 Version: not this line

Package: gone
Status: deinstall ok config-files
Version: 1

Package: tzdata
Version: 2025b
Architecture: all
`;
  expect(parseDpkgStatus(text)).toEqual([
    { name: 'libc6', version: '2.36-9', architecture: 'amd64', source: 'glibc' },
    { name: 'tzdata', version: '2025b', architecture: 'all' },
  ]);
});

test('files of this machine belong to its packages, by whichever name dpkg knows them', async () => {
  const libc = realpathSync('/lib/x86_64-linux-gnu/libc.so.6');
  const paths = [libc, '/usr/share/zoneinfo/Etc/UTC', '/nowhere/at all'];
  const owners = await findOwners(paths, new AbortController().signal);
  expect(owners.get(libc)).toMatchObject({
    name: 'libc6',
    architecture: 'amd64',
    source: 'glibc',
    version: expect.stringMatching(/^2\./),
  });
  expect(owners.get('/usr/share/zoneinfo/Etc/UTC')).toMatchObject({ name: 'tzdata', architecture: 'all' });
  expect([...owners.keys()]).not.toContain('/nowhere/at all');
});
