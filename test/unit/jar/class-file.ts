/** A class file with methods of the given names and types, each public and static: enough for who reads its members. */
export function makeClass(name: string, methods: Readonly<Record<string, string>> = {}): Buffer {
  const constants: Buffer[] = [];
  const add = (tag: number, ...content: Buffer[]) => constants.push(Buffer.concat([Buffer.from([tag]), ...content]));
  const u2 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
  const text = (value: string) => add(1, u2(Buffer.byteLength(value)), Buffer.from(value));
  const superClass = add(7, u2(text('java/lang/Object')));
  const thisClass = add(7, u2(text(name.replaceAll('.', '/'))));
  add(5, Buffer.alloc(8)); // a long takes two places
  constants.push(Buffer.alloc(0));
  const field = [
    u2(0x0018),
    u2(text('main')),
    u2(text('J')),
    u2(1),
    u2(text('ConstantValue')),
    Buffer.from([0, 0, 0, 2, 0, 5]),
  ];
  const members = Object.entries(methods).map(([method, type]) =>
    Buffer.concat([u2(0x0009), u2(text(method)), u2(text(type)), u2(0)]),
  );
  return Buffer.concat([
    Buffer.from('cafebabe00000041', 'hex'),
    u2(constants.length + 1),
    ...constants,
    u2(0x0021),
    u2(thisClass),
    u2(superClass),
    u2(0),
    u2(1),
    ...field,
    u2(members.length),
    ...members,
    u2(0),
  ]);
}

export const MAIN = { main: '([Ljava/lang/String;)V' };
