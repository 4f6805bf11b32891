import { openCookieJar } from '../../../src/warm-up/cookie-jar.ts';

test('a cookie comes back to its path and those below', () => {
  const jar = openCookieJar();
  jar.keep(['session=abc; Path=/; HttpOnly; Secure; SameSite=Lax', 'cart=1; Path=/shop'], '/login');
  expect(jar.render('/')).toBe('session=abc');
  expect(jar.render('/shop?x=/shop')).toBe('cart=1; session=abc');
  expect(jar.render('/shop/17')).toBe('cart=1; session=abc');
  expect(jar.render('/shopping')).toBe('session=abc');
  expect(openCookieJar().render('/')).toBeUndefined();
});

test('without a path it is for the folder of the request', () => {
  const jar = openCookieJar();
  jar.keep(['a=1'], '/orders/17?x=/y/');
  expect(jar.render('/orders/18')).toBe('a=1');
  expect(jar.render('/')).toBeUndefined();
  jar.keep(['b=2'], '/login');
  expect(jar.render('/')).toBe('b=2');
});

test('a new value replaces the old, and an end in the past takes it away', () => {
  const jar = openCookieJar();
  jar.keep(['a=1; Path=/', 'b=2; Path=/', 'c=3; Path=/; Max-Age=100'], '/');
  jar.keep(['a=4; Path=/'], '/');
  expect(jar.render('/')).toBe('a=4; b=2; c=3');
  jar.keep(['a=; Path=/; Max-Age=0', 'b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], '/');
  expect(jar.render('/')).toBe('c=3');
});

test('a domain, under which the app is not reached here, is no hindrance', () => {
  const jar = openCookieJar();
  jar.keep(['a="b c"; Domain=shop.example; Path=/', 'broken', '', 'c=%2F+%20=='], '/');
  expect(jar.render('/')).toBe('a="b c"; c=%2F+%20==');
});
