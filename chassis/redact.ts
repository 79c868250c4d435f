const HIDDEN = '[redacted]';
/** Names whose values are secrets, in settings, variables and the parameters of URLs. */
const SECRET_NAME = /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key/i;
const URL_START = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Parameters of URLs that are called so, and settings seldom. */
const SECRET_PARAMETER = /^(?:key|sig|signature)$/i;
/** What begins as a URL does, and goes on as none: only a file's is well formed without slashes. */
const MALFORMED_URL = /^(?!file:)[a-z][a-z0-9+.-]*:\S/i;
/** User and password before a host, wherever they are; the colon of `file:` is before neither. */
const WITH_PASSWORD = /(?<!^file):.*@/is;
/** A secret as libpq and ODBC take it: `host=db password=s3cret`. */
const WITH_SETTING = /(?:pass\w*|pwd|secret|token|credentials?|api_?key|private_?key)["']?\s*=/i;
const NO_PLAIN_TEXT = [MALFORMED_URL, WITH_PASSWORD, WITH_SETTING];

/** A copy without secrets: of values under telling names, and of URLs, however deep they are. */
export function redacted(value: string, name?: string): string;
export function redacted(value: unknown, name?: string): unknown;
export function redacted(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    if (value !== '' && SECRET_NAME.test(name) && !/_?file$/i.test(name)) return HIDDEN;
    const text = value.trim();
    if (URL_START.test(text)) return redactedUrl(text);
    return NO_PLAIN_TEXT.some((form) => form.test(text)) ? HIDDEN : value;
  }
  if (Array.isArray(value)) return value.map((each) => redacted(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redacted(each, key)]));
}

/** One that can't be taken apart is hidden as a whole: nobody knows where in it a secret is. */
function redactedUrl(text: string): string {
  // URL takes lines and blanks out, or in, where other readers do not.
  if (/\s/.test(text) || !URL.canParse(text)) return HIDDEN;
  const url = new URL(text);
  if (text.includes('@') && url.username === '' && url.password === '') return HIDDEN;
  const names = [...url.searchParams].filter(isSecret).map(([name]) => name);
  if (url.password === '' && names.length === 0) return text;
  if (url.password !== '') url.password = 'redacted';
  for (const name of names) url.searchParams.set(name, 'redacted');
  return url.href;
}

function isSecret([name, value]: readonly [string, string]): boolean {
  return SECRET_NAME.test(name) || SECRET_PARAMETER.test(name) || WITH_SETTING.test(value);
}
