/**
 * Draws what a command printed as a terminal window, in SVG: `node scripts/picture.js TITLE < text`.
 * Colours are kept; `script -qec "bin/fig status" /dev/null` makes a command print them.
 */
import { readFileSync } from 'node:fs';

const CHARACTER = 8.4;
const LINE = 19;
const PADDING = 20;
const BAR = 36;
/** What a terminal takes as a change of style (SGR), its codes captured. */
const STYLE = new RegExp(`${String.fromCodePoint(27)}\\[([\\d;]*)m`);
const COLOURS = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#79c0ff' };

const [title = ''] = process.argv.slice(2);
const text = readFileSync(0, 'utf8').replaceAll('\r', '').trimEnd();
process.stdout.write(picture(title, text.split('\n')));

function picture(heading, lines) {
  const columns = Math.max(heading.length + 12, ...lines.map((line) => plain(line).length));
  const width = Math.ceil(columns * CHARACTER + 2 * PADDING);
  const height = BAR + lines.length * LINE + PADDING;
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, index) => `<circle cx="${20 + 20 * index}" cy="18" r="6" fill="${colour}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    `<title>${escape(heading)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    ...lights,
    `<text x="${width / 2}" y="23" fill="#8b949e" text-anchor="middle">${escape(heading)}</text>`,
    ...lines.flatMap((line, index) => drawn(line, BAR + 14 + index * LINE)),
    '</svg>\n',
  ].join('\n');
}

/** Each run of one style at its own place, stretched to its columns: fonts differ in width. */
function drawn(line, y) {
  let column = 0;
  return runs(line).flatMap(({ style, words }) => {
    const start = column + words.length - words.trimStart().length;
    column += words.length;
    const shown = words.trim();
    if (shown === '') return [];
    const [x, length] = [PADDING + start * CHARACTER, shown.length * CHARACTER].map(round);
    // Spaces in a row would be drawn as one.
    const kept = escape(shown).replaceAll(' ', '\u00a0');
    return [
      `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs" ${attributes(style)}>${kept}</text>`,
    ];
  });
}

/** A line as pieces of one style: between two texts stand the codes that change it. */
function runs(line) {
  let style = new Set();
  const pieces = [];
  for (const [index, part] of line.split(STYLE).entries()) {
    if (index % 2 === 1) style = styled(style, part.split(';').map(Number));
    else if (part !== '') pieces.push({ style, words: part });
  }
  return pieces;
}

function styled(before, codes) {
  return codes.includes(0) ? new Set() : new Set([...before, ...codes]);
}

function attributes(style) {
  const colour = [...style].map((code) => COLOURS[code]).find(Boolean);
  const fill = colour ?? (style.has(2) ? '#6e7681' : '#e6edf3');
  return `fill="${fill}"${style.has(1) ? ' font-weight="bold"' : ''}`;
}

function plain(line) {
  return runs(line)
    .map(({ words }) => words)
    .join('');
}

function escape(words) {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value) {
  return Math.round(value * 100) / 100;
}
