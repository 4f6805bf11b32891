import { CORE } from '../../../src/criu/schema.ts';
import { decodeMessage } from '../../../src/criu/wire.ts';
import { Blob } from '../../../src/restore-plan/blob.ts';
import { addSigframe } from '../../../src/restore-plan/sigframe.ts';
import { readXsaveLayout } from '../../../src/restore-plan/xsave.ts';
import { encodeMessage } from './criu-encoder.ts';

const USER_CODE = 0xffffffffffffffffn;
const core = (xstateBv: number, more = {}) =>
  decodeMessage(
    CORE,
    encodeMessage({
      1: 1,
      2: {
        2: { 1: 15, 10: 8, 11: 9, 16: USER_CODE, 17: 0x1000, 18: 0x33, 20: 0x2000, 21: 0x2b },
        3: {
          1: 0x37f,
          7: 0x1f80,
          9: Array(32).fill(1),
          10: Array(64).fill(2),
          13: { 1: xstateBv, 2: Array(64).fill(3), 5: Array(8).fill(7n), ...more },
        },
      },
      5: { 6: 0x55, 7: { 1: 0x9000, 2: 0x800, 3: 1 } },
    }),
  );

test('a thread in user code gets the XSAVE frame at the offsets of its CPU', () => {
  const layout = readXsaveLayout([{ leaf: 0xd, subleaf: 5, registers: [64, 1088, 0, 0] }]);
  const blob = new Blob();
  const frame = addSigframe(core(0b100111), layout, blob);
  const bytes = blob.render(0x10000);
  const fp = Number(bytes.readBigUInt64LE(frame + 40 + 184)) - 0x10000;
  expect(bytes.readBigUInt64LE(frame)).toBe(7n);
  expect(fp % 64).toBe(0);
  expect(bytes.readUInt32LE(fp + 464)).toBe(0x46505853);
  const size = bytes.readUInt32LE(fp + 464 + 16);
  expect(size).toBe(1088 + 64);
  expect(bytes.readUInt32LE(fp + 464 + 4)).toBe(size + 4);
  expect(bytes.readBigUInt64LE(fp + 464 + 8)).toBe(0b100111n);
  expect(bytes.readBigUInt64LE(fp + 512)).toBe(0b100111n);
  expect(bytes.readUInt32LE(fp + 160)).toBe(2);
  expect(bytes.readUInt32LE(fp + 576)).toBe(3);
  expect(bytes.readBigUInt64LE(fp + 1088)).toBe(7n);
  expect(bytes.readUInt32LE(fp + size)).toBe(0x46505845);
});

test('components in their initial state are left out', () => {
  const blob = new Blob();
  const frame = addSigframe(core(0b11), readXsaveLayout([]), blob);
  const bytes = blob.render(0);
  const fp = Number(bytes.readBigUInt64LE(frame + 40 + 184));
  expect(bytes.readUInt32LE(fp + 464 + 16)).toBe(576);
  expect(bytes.readBigUInt64LE(fp + 512)).toBe(3n);
});

test('state for which the CPU gave no place is not guessed', () => {
  expect(() => addSigframe(core(0b100011), readXsaveLayout([]), new Blob())).toThrow(/component 5/);
});

test('registers, mask and alternate stack lie where rt_sigreturn reads them', () => {
  const blob = new Blob();
  const frame = addSigframe(core(3), readXsaveLayout([]), blob);
  const bytes = blob.render(0);
  const register = (index: number) => bytes.readBigUInt64LE(frame + 40 + index * 8);
  expect([register(0), register(7), register(13), register(15), register(16)]).toEqual([8n, 15n, 9n, 0x2000n, 0x1000n]);
  expect(bytes.readUInt16LE(frame + 40 + 144)).toBe(0x33);
  expect(bytes.readUInt16LE(frame + 40 + 150)).toBe(0x2b);
  expect(bytes.readBigUInt64LE(frame + 16)).toBe(0x9000n);
  expect(bytes.readUInt32LE(frame + 24)).toBe(0);
  expect(bytes.readBigUInt64LE(frame + 32)).toBe(0x800n);
  expect(bytes.readBigUInt64LE(frame + 296)).toBe(0x55n);
});
