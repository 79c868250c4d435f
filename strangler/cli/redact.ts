const HIDDEN = '[redacted]';
/** Names whose values are secrets, in settings, variables and the parameters of URLs. */
const SECRET_NAME = /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key/i;
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
/** What begins as a URL does, and goes on as none: only a file's is well formed without slashes. */
const MALFORMED_URL = /^(?!file:)[a-z][a-z0-9+.-]*:\S*$/i;
/** User and password before a host, with the scheme forgotten. */
const WITH_PASSWORD = /^[^\s/]*:\S*@\S+$/;

/** A copy without secrets: of values under telling names, and of URLs, however deep they are. */
export function redacted(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    if (value !== '' && SECRET_NAME.test(name) && !/_?file$/i.test(name)) return HIDDEN;
    if (URL_START.test(value)) return redactedUrl(value);
    return MALFORMED_URL.test(value) || WITH_PASSWORD.test(value) ? HIDDEN : value;
  }
  if (Array.isArray(value)) return value.map((each) => redacted(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redacted(each, key)]));
}

/** One that can't be taken apart is hidden as a whole: nobody knows where in it a secret is. */
function redactedUrl(text: string): string {
  if (!URL.canParse(text)) return HIDDEN;
  const url = new URL(text);
  if (text.includes('@') && url.username === '' && url.password === '') return HIDDEN;
  const names = [...new Set(url.searchParams.keys())].filter((name) => SECRET_NAME.test(name));
  if (url.password === '' && names.length === 0) return text;
  if (url.password !== '') url.password = 'redacted';
  for (const name of names) url.searchParams.set(name, 'redacted');
  return url.href;
}
