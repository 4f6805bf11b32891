/**
 * Uses a REST collection of JSON as its users do: lists it, creates an item, reads that, and deletes it again.
 *
 * options: { path: /orders, item: { name: tea }, invalid: { name: '' }, unknown: /orders/0, searches: ['/orders/search?q=tea'], keep: false }
 * The answer to the creation tells where the item is: in `location`, or as `id`. `invalid` has to be refused with 400 or 422,
 * and `unknown` with 404: errors are warmed up, too. `keep`: for an app that deletes nothing; then each run leaves an item.
 */
import type { App, WarmUp } from 'crac-build/warm-up';

const warmUp: WarmUp = async (app) => {
  const { path, item, invalid, unknown, searches = [], keep = false } = app.options;
  if (typeof path !== 'string') throw new Error('options.path is missing: where the collection is, such as /orders');
  await app.request('GET', path, { endpoint: path });
  for (const search of searches as readonly string[])
    await app.request('GET', search, { endpoint: search.replace(/\?.*/, '') });
  if (unknown !== undefined) await app.request('GET', String(unknown), { endpoint: `${path}/{unknown}`, expect: 404 });
  if (invalid !== undefined) await expectRefusal(app, path, invalid);
  if (item === undefined) return;
  const made = await app.request('POST', path, { json: item, endpoint: path, expect: 201 });
  const location = made.header('location');
  const place = location === undefined ? `${path}/${made.jsonPath('$.id')}` : pathOf(location);
  await app.request('GET', place, { endpoint: `${path}/{id}` });
  if (keep === true) return;
  const gone = await app.request('DELETE', place, { endpoint: `${path}/{id}`, expect: false });
  if (gone.status < 200 || gone.status > 299)
    throw new Error(`DELETE ${place} answered ${gone.status}: give keep: true to an app that deletes nothing`);
};

export default warmUp;

async function expectRefusal(app: App, path: string, invalid: unknown): Promise<void> {
  const { status } = await app.request('POST', path, { json: invalid, endpoint: `${path} (invalid)`, expect: false });
  if (status !== 400 && status !== 422)
    throw new Error(
      `POST ${path} answered ${status} to what options.invalid has, and was to refuse it with 400 or 422`,
    );
}

function pathOf(location: string): string {
  const { pathname, search } = new URL(location, 'http://app');
  return pathname + search;
}
