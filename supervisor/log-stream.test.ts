import { describe, expect, it } from '@jest/globals';
import { jsonLines, prettyLines } from '../chassis/logs/index.ts';
import { logStream } from './log-stream.ts';

const LINE = JSON.stringify({ level: 40, time: 0, pid: 7, name: 'engine', msg: 'lag', lagMs: 12 });

describe('log lines', () => {
  it('for machines are passed on as they are, or wrapped when they are no JSON', () => {
    expect(jsonLines('engine', LINE)).toBe(LINE);
    expect(JSON.parse(jsonLines('redis', '* Ready'))).toMatchObject({
      name: 'redis',
      msg: '* Ready',
    });
  });

  it('for people carry the name of the process on each line, without colours when not wanted', () => {
    const text = prettyLines(false)('engine', LINE);
    expect(text).toMatch(/^engine {4}\| \[?\d\d:\d\d:\d\d\.\d{3}\]? WARN: lag/);
    expect(text).toContain('"lagMs":12');
    expect(text).not.toContain('\u001b');
    expect(prettyLines(false)('redis', 'one\ntwo')).toBe('redis     | one\nredis     | two');
  });

  it('for people have a colour for each process', () => {
    const format = prettyLines(true);
    const colourOf = (name: string): string => format(name, 'x').split('m')[0] ?? '';
    expect(colourOf('engine')).not.toBe(colourOf('facade'));
    expect(colourOf('engine')).toBe(colourOf('engine'));
  });
});

describe('logStream', () => {
  it('writes lines as they come and keeps the last ones of each process', () => {
    const written: string[] = [];
    const sink = logStream({ write: (text) => written.push(text), format: jsonLines });
    for (let i = 0; i < 60; i++) sink.write('engine', `{"i":${i}}`);
    sink.write('facade', '{"other":true}');
    expect(written).toHaveLength(61);
    expect(sink.tail('engine', 2)).toEqual(['{"i":58}', '{"i":59}']);
    expect(sink.tail('engine', 100).length).toBeLessThanOrEqual(50);
    expect(sink.tail('never-heard-of', 5)).toEqual([]);
  });
});
