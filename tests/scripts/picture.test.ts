import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

function draw(title: string, printed: string): string {
  const script = join(projectRoot, 'scripts', 'picture.js');
  return execFileSync(process.execPath, [script, title], { input: printed, encoding: 'utf8' });
}

describe('a picture of what a command printed', () => {
  it('keeps words, columns and colours, and is valid SVG', () => {
    const svg = draw('a < b', 'plain  \u001b[1m\u001b[32mgreen\u001b[0m & done\r\n\nlast\n');
    expect(svg).toMatch(/^<svg [^]+<\/svg>\n$/);
    expect(svg).toContain('<title>a &lt; b</title>');
    expect(svg).toMatch(/x="20" .*>plain</);
    expect(svg).toMatch(/x="78.8" .*fill="#7ee787" font-weight="bold">green</);
    expect(svg).toMatch(/>&amp;\u00a0done</);
    expect(svg.match(/<text /g)).toHaveLength(5);
  });
});
