import { isConfigFile, readAppSettings } from '../../../src/jar/app-settings.ts';
import { parseProperties, parseYamlProperties } from '../../../src/jar/properties.ts';

test('.properties: separators, comments, continued lines and escapes', () => {
  const text =
    '# a comment\n! another\n\na=1\nb: 2\nc 3\n  d.e = f=g \nlist=x,\\\n    y\npath=C\\:\\\\temp\nwide=\\u00e9\\t!\nspaced\\ key=v\nempty=\nback=\\\\\nlast=1';
  expect(Object.fromEntries(parseProperties(text))).toEqual({
    a: '1',
    b: '2',
    c: '3',
    'd.e': 'f=g',
    list: 'x,y',
    path: 'C:\\temp',
    wide: 'é\t!',
    'spaced key': 'v',
    empty: '',
    back: '\\',
    last: '1',
  });
});

test('YAML: nested, dotted and listed keys; documents of one profile are left out', () => {
  const text =
    'server:\n  port: 8081\n  ssl.enabled: true\nhosts: [a, b]\nnone: ~\n---\nspring.config.activate.on-profile: dev\nserver.port: 9\n---\nspring:\n  profiles: test\nserver.port: 10\n';
  expect(Object.fromEntries(parseYamlProperties(text))).toEqual({
    'server.port': '8081',
    'server.ssl.enabled': 'true',
    'hosts[0]': 'a',
    'hosts[1]': 'b',
  });
});

test('damaged YAML has no keys', () => {
  expect(parseYamlProperties('a: [1\nb: }').size).toBe(0);
});

test.each([
  ['application.properties', true],
  ['BOOT-INF/classes/application.yml', true],
  ['BOOT-INF/classes/config/application.yaml', true],
  ['META-INF/microprofile-config.properties', true],
  ['application-dev.properties', false],
  ['com/shop/application.properties', false],
])('%s is configuration: %p', (path, expected) => {
  expect(isConfigFile(path)).toBe(expected);
});

test('config/ wins over the root, .properties over YAML; ways to write a key are alike', () => {
  const settings = readAppSettings([
    { name: 'BOOT-INF/classes/config/application.yml', text: 'a: config\n' },
    { name: 'BOOT-INF/classes/application.properties', text: 'a=properties\nb=properties\n' },
    { name: 'BOOT-INF/classes/application.yml', text: 'a: yaml\nb: yaml\nserver.servlet.contextPath: /shop\n' },
  ]);
  expect(settings('a')).toEqual({ value: 'config', from: 'BOOT-INF/classes/config/application.yml' });
  expect(settings('b')).toEqual({ value: 'properties', from: 'BOOT-INF/classes/application.properties' });
  expect(settings('server.servlet.context-path')?.value).toBe('/shop');
  expect(settings('c')).toBeUndefined();
});

test('placeholders are replaced by their defaults and by other keys; what nothing is known of is not there', () => {
  const text = 'p=§{PORT:8081}\nq=§{p}\nr=§{NOWHERE}\ns=§{s}\n%prod.t=2\nt=1\nu=http://§{h:a}:§{PORT:1}\n'.replaceAll(
    '§',
    '$',
  );
  const settings = readAppSettings([{ name: 'application.properties', text }]);
  expect(['p', 'q', 'r', 's', 't', 'u'].map((key) => settings(key)?.value)).toEqual([
    '8081',
    '8081',
    undefined,
    undefined,
    '2',
    'http://a:1',
  ]);
});
