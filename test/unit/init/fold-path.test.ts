import { foldPath } from '../../../src/init/fold-path.ts';

test.each([
  ['/', '/'],
  ['/orders', '/orders'],
  ['/orders/17', '/orders/*'],
  ['/orders/17/items/3', '/orders/*/items/*'],
  ['/orders/123e4567-e89b-42d3-a456-426614174000', '/orders/*'],
  ['/commits/1f0c2d3e4b5a', '/commits/*'],
  ['/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/*'],
  ['/report/2026-01-31', '/report/*'],
  ['/tickets/ABC-1234', '/tickets/*'],
  ['/a/abcdefghijklmnop1234', '/a/*'],
  ['/api/v2/orders', '/api/v2/orders'],
  ['/catalogue/winter-collection-of-shoes', '/catalogue/winter-collection-of-shoes'],
  ['/deadbeef', '/deadbeef'],
  ['/orders?page=2&size=10', '/orders?page&size'],
  ['/orders?size=20&page=1&page=2', '/orders?page&size'],
  ['/orders?', '/orders'],
])('%s → %s', (path, folded) => expect(foldPath(path)).toBe(folded));
