import { Blob } from '../../../src/restore-plan/blob.ts';
import {
  LAYOUTS,
  PLAN_BASE,
  type PlanSections,
  renderPlan,
  SECTION_STRUCTS,
} from '../../../src/restore-plan/format.ts';
import { decodePlan, offsetOf, parsePlan, planChecksum } from '../../../src/restore-plan/read-plan.ts';
import { compileSample, makeSample } from './sample-dump.ts';

/** By the tables, so that no field can be left out: each gets a value of its own. */
function distinctRecord(struct: keyof typeof LAYOUTS): Record<string, number | bigint | Buffer> {
  const values = LAYOUTS[struct].map(([field, type], index) => {
    if (type === 'u64') return [field, 0xf000_0000_0000_0000n + BigInt(index)];
    if (type === 'u32') return [field, 0xf000_0000 + index];
    return [field, Buffer.alloc(type === 'bytes16' ? 16 : 32, index + 1)];
  });
  return Object.fromEntries(values.filter(([field]) => field !== 'sections'));
}
const OWN =
  /^(magic|version|header_size|arch|page_size|file_size|crc32|map_address|restorer_start|restorer_end|sections)$/;

test('what was written is read: every field of every record', () => {
  const { crc32: _, ...header } = distinctRecord('header');
  const records = Object.fromEntries(SECTION_STRUCTS.map((struct) => [struct, [distinctRecord(struct)]]));
  records['thread'] = [{ ...distinctRecord('thread'), frame: 8, scratch: 16 }];
  const blob = new Blob();
  const text = blob.text('text');
  const plan = decodePlan(renderPlan(header, records as unknown as PlanSections, blob));

  for (const [field, value] of Object.entries(header).filter(([name]) => !OWN.test(name)))
    expect([field, plan.header[field as keyof typeof plan.header]]).toEqual([field, value]);
  for (const struct of SECTION_STRUCTS.filter((name) => name !== 'thread'))
    expect(plan.sections[struct][0]).toEqual(records[struct]?.[0]);
  const [thread] = plan.sections.thread;
  expect(thread).toEqual({
    ...distinctRecord('thread'),
    frame: plan.blobAddress + 8n,
    scratch: plan.blobAddress + 16n,
  });
  expect(plan.blob.toString('utf8', text, text + 5)).toBe('text\0');
  expect(plan.blobAddress).toBeGreaterThan(BigInt(PLAN_BASE));
});

test('what the compile step writes is taken', async () => {
  const { plan } = await compileSample(makeSample());
  expect(parsePlan(plan).sections.thread).toHaveLength(1);
});

describe('a damaged plan is refused', () => {
  const spoil: Record<string, [message: RegExp, (plan: Buffer) => Buffer]> = {
    'an empty file': [/is not a restore plan/, () => Buffer.alloc(0)],
    'another file': [/is not a restore plan/, () => Buffer.from('#!/bin/sh\necho no plan\n')],
    'another version': [/has version 77, this crac-build knows/, (plan) => set(plan, 'version', 77)],
    'another header': [/header of another size/, (plan) => set(plan, 'header_size', 8)],
    'a short header': [/is truncated/, (plan) => plan.subarray(0, 100)],
    'another machine': [/for another architecture \(183\)/, (plan) => set(plan, 'arch', 183)],
    'large pages': [/for pages of 65536 bytes/, (plan) => set(plan, 'page_size', 65536)],
    'a cut file': [/is truncated/, (plan) => plan.subarray(0, plan.length - 1)],
    'a longer file': [/has a wrong size/, (plan) => Buffer.concat([plan, Buffer.alloc(1)])],
    'another restorer': [/for a restorer at another address/, (plan) => set(plan, 'restorer_end', 4096)],
    'no room': [/does not fit where it is to be mapped/, (plan) => set(plan, 'map_address', 4096)],
    'a section outside': [/damaged \(section 0\)/, (plan) => set(plan, 'sections', plan.length + 1)],
    'a flipped bit': [/damaged \(checksum\)/, (plan) => set(plan, 'umask', 0o777)],
    'a wild reference': [/damaged \(header 0: cwd_blob\)/, (plan) => seal(set(plan, 'cwd_blob', 0xffff_fff0))],
  };
  test.each(Object.entries(spoil))('%s', async (_, [message, change]) => {
    const { plan } = await compileSample(makeSample());
    expect(() => parsePlan(change(plan))).toThrow(
      expect.objectContaining({
        code: 'IMAGE_INVALID',
        message: expect.stringMatching(message),
        hint: expect.any(String),
      }),
    );
  });
});

function set(plan: Buffer, field: string, value: number): Buffer {
  plan.writeUInt32LE(value, offsetOf('header', field));
  return plan;
}

function seal(plan: Buffer): Buffer {
  return set(plan, 'crc32', planChecksum(plan));
}
