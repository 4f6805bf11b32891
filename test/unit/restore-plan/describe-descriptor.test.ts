import { describeAddress, describeDescriptor } from '../../../src/restore-plan/describe-descriptor.ts';
import { FD } from '../../../src/restore-plan/format.ts';
import type { PlanValues, RestorePlan } from '../../../src/restore-plan/plan-values.ts';

const blob = Buffer.from('\0/etc/passwd\0');
const plan = { blob, sections: { socket: [], sockopt: [] } } as unknown as RestorePlan;
const NOTHING = { fd: 4, kind: 0, flags: 0, fd_flags: 0, a: 0n, b: 0n, c: 0n, d: 0n, path_blob: 0, reserved: 0 };

test.each<[Partial<PlanValues<'fd'>>, string]>([
  [
    { kind: FD.FILE, path_blob: 1, flags: 0o2001, a: 3n, b: 9n },
    '4 FILE: /etc/passwd, write only, at 3 of 9 bytes, append',
  ],
  [{ kind: FD.FILE, path_blob: 1, b: 2n ** 64n - 1n }, '4 FILE: /etc/passwd, read only, at 0, of any size'],
  [{ kind: FD.DUP, a: 3n, fd_flags: 1 }, '4 DUP: the same as 3, close on exec'],
  [{ kind: FD.DEAD, flags: 0o4000 }, '4 DEAD: nonblocking'],
  [{ kind: 99, a: 5n }, '4 kind 99: a 0x5'],
])('%o', (record, words) => {
  expect(describeDescriptor({ ...NOTHING, ...record } as PlanValues<'fd'>, plan)).toBe(words);
});

test.each([
  ['02001f907f000001', '127.0.0.1:8080'],
  [`0a001f90${'0'.repeat(8)}${'0'.repeat(32)}${'0'.repeat(8)}`, '[::]:8080'],
  [`0a000050${'0'.repeat(8)}20010db8000000000001000000000001${'0'.repeat(8)}`, '[2001:db8::1:0:0:1]:80'],
  ['01002f72756e2f6100', '/run/a'],
  ['010000617070', '@app'],
  ['0500', 'address 0500'],
  ['', 'address '],
])('address %s', (address, words) => {
  expect(describeAddress(Buffer.from(address, 'hex'))).toBe(words);
});
