/** Texts and the marks between them; numbers and words say nothing here. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Keys that an object of a JSON text names twice, of which a parser takes the last without a word.
 * @param text that is JSON
 */
export function repeatedKeys(text: string): readonly string[] {
  const repeated = new Set<string>();
  const open: (Set<string> | null)[] = [];
  let before = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const key = JSON.parse(before) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) repeated.add(key);
      keys?.add(key);
    }
    before = token;
  }
  return [...repeated];
}
