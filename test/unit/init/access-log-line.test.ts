import { parseLogLine } from '../../../src/init/access-log-line.ts';

test.each([
  [
    'common',
    '127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 512',
    { method: 'GET', path: '/a?b=c', status: 200, userAgent: '' },
  ],
  [
    'combined, with a quote in the user agent',
    '::1 - anna [31/Jan/2026:12:00:00 +0000] "POST /a HTTP/2.0" 201 - "https://x/" "Agent \\"7\\""',
    { method: 'POST', path: '/a', status: 201, userAgent: 'Agent \\"7\\"' },
  ],
  [
    'with a duration at its end, as Tomcat and nginx are often told',
    '127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl" 0.012',
    { method: 'GET', path: '/a', status: 200, userAgent: 'curl' },
  ],
  [
    'of Jetty',
    '127.0.0.1 - - [31/Jan/2026:12:00:00 +0000] "GET //a HTTP/1.1" 304 0 "-" "Jetty/12"',
    { method: 'GET', path: '//a', status: 304, userAgent: 'Jetty/12' },
  ],
  ['HTTP/0.9', 'h - - [x] "GET /a" 200 1', { method: 'GET', path: '/a', status: 200, userAgent: '' }],
  [
    'a whole URL',
    'h - - [x] "GET https://shop.example/a?b HTTP/1.1" 200 1',
    { method: 'GET', path: '/a?b', status: 200, userAgent: '' },
  ],
])('%s', (_, line, request) => expect(parseLogLine(line)).toEqual(request));

test.each([
  '',
  'hello',
  '{"method":"GET"}',
  'h - - [x] "-" 408 -',
  'h - - [x] "\\x16\\x03" 400 0',
  'h "GET /a HTTP/1.1" 2000 1',
])('%p is no request', (line) => expect(parseLogLine(line)).toBeUndefined());
