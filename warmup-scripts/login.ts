/**
 * Logs in at an HTML form and then visits pages, as one user with a session.
 *
 * options: { login: /login, fields: { username: user, password: secret }, pages: [/, /orders], action: /login, landsAt: / }
 * Hidden fields of the form, such as a CSRF token, are sent as they came. `action` is the form's own where it is left out. A
 * login that worked is answered with a redirect, to `landsAt` where that is given; a redirect back to `login` is a failure.
 */
import type { WarmUp } from 'crac-build/warm-up';

const warmUp: WarmUp = async (app) => {
  const { login = '/login', fields = {}, pages = ['/'], action, landsAt } = app.options;
  const page = await app.request('GET', String(login));
  const html = page.text();
  const form = { ...hiddenFields(html), ...stringify(fields as Record<string, unknown>) };
  const target = String(action ?? formAction(html) ?? login);
  const to = new URL(target, `http://app${login}`);
  const answer = await app.request('POST', to.pathname + to.search, { form, expect: false });
  const location = answer.header('location');
  if (answer.status < 300 || answer.status >= 400 || location === undefined)
    throw new Error(`the login at ${target} answered ${answer.status} and no redirect`);
  const { pathname, search } = new URL(location, `http://app${login}`);
  if (pathname === login || (landsAt !== undefined && pathname !== landsAt))
    throw new Error(`the login at ${target} leads to ${pathname}${search}`);
  await app.request('GET', pathname + search, { endpoint: pathname });
  for (const one of pages as readonly unknown[]) await app.request('GET', String(one));
};

export default warmUp;

function hiddenFields(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => tag);
  return Object.fromEntries(
    inputs.flatMap((tag) => {
      const name = attribute(tag, 'name');
      return attribute(tag, 'type') === 'hidden' && name !== undefined ? [[name, attribute(tag, 'value') ?? '']] : [];
    }),
  );
}

/** Of the form that is sent: pages may have others, for a search. */
function formAction(html: string): string | undefined {
  const tag = [...html.matchAll(/<form\b[^>]*>/gi)]
    .map(([form]) => form)
    .find((form) => /post/i.test(attribute(form, 'method') ?? ''));
  return tag === undefined ? undefined : attribute(tag, 'action');
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function stringify(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}
