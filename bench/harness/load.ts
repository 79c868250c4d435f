import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pinned } from './child.ts';

const run = promisify(execFile);

/** What one run of load has measured. */
export interface Measured {
  /** Answers of status 2xx and 3xx, per second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that were not answered, or answered with another status. */
  readonly failed: number;
}

/** The same requests again and again, over a fixed number of connections. */
export interface LoadOptions {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second to aim at; absent: as many as are answered. */
  readonly rate?: number;
  /** A header that names one of many callers in turn. */
  readonly callerHeader?: string;
  /** A token for each of these callers. */
  readonly callerTokens?: readonly string[];
}

export interface LoadGenerator {
  /** Name and version. */
  readonly name: string;
  run(options: LoadOptions): Promise<Measured>;
}

const CALLERS = 1_000;

/**
 * wrk where it is installed, since it takes the least of the machine; else autocannon.
 * @param cores where it may run, see `pinned`
 */
export async function findLoadGenerator(cores: string | undefined): Promise<LoadGenerator> {
  // `wrk -v` prints its version and a usage, and fails.
  const version = await run('wrk', ['-v']).then(
    ({ stdout }) => stdout,
    (error: { code?: unknown; stdout?: string }) =>
      error.code === 'ENOENT' ? undefined : error.stdout,
  );
  if (version !== undefined) {
    const name = /^wrk \S+/.exec(version)?.[0] ?? 'wrk';
    return { name, run: (options) => wrk(options, cores) };
  }
  return { name: 'autocannon', run: (options) => autocannon(options, cores) };
}

async function wrk(options: LoadOptions, cores: string | undefined): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
  try {
    const script = join(folder, 'requests.lua');
    await writeFile(script, luaScript(options));
    const [command, ...parameters] = pinned(cores, [
      'wrk',
      '--threads=1',
      `--connections=${options.connections}`,
      `--duration=${options.seconds}s`,
      '--timeout=10s',
      `--script=${script}`,
      options.url,
    ]);
    const { stdout } = await run(command as string, parameters);
    const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
    if (line === undefined) throw new Error(`wrk said nothing of use:\n${stdout}`);
    return JSON.parse(line) as Measured;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Requests are put together beforehand: wrk has half a processor to itself. */
function luaScript({
  method,
  body,
  connections,
  rate,
  callerHeader,
  callerTokens = [],
}: LoadOptions): string {
  const pauseMs = rate === undefined ? 0 : (connections / rate) * 1_000;
  return `
local requests = {}
local tokens = { ${callerTokens.map((token) => JSON.stringify(token)).join(', ')} }
local last = 0
function init()
  for caller = 1, ${CALLERS} do
    local headers = { ["accept"] = "application/json" }
    ${body === undefined ? '' : 'headers["content-type"] = "application/json"'}
    ${callerHeader === undefined ? '' : `headers["${callerHeader}"] = "C" .. caller`}
    if tokens[caller] then headers["authorization"] = "Bearer " .. tokens[caller] end
    requests[caller] = wrk.format("${method}", nil, headers, ${body === undefined ? 'nil' : JSON.stringify(body)})
  end
end
function request()
  last = last % ${CALLERS} + 1
  return requests[last]
end
${
  rate === undefined
    ? ''
    : `function delay() return math.random(${Math.round(pauseMs * 0.5)}, ${Math.round(pauseMs * 1.5)}) end`
}
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format('\\n{"perSecond":%f,"p50Ms":%f,"p99Ms":%f,"failed":%d}',
    (summary.requests - errors.status) / (summary.duration / 1000000),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
`;
}

interface AutocannonReport {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly errors: number;
  readonly non2xx: number;
}

async function autocannon(options: LoadOptions, cores: string | undefined): Promise<Measured> {
  const { url, method, body, connections, seconds, rate, callerHeader, callerTokens } = options;
  const [command, ...parameters] = pinned(cores, [
    process.execPath,
    createRequire(import.meta.url).resolve('autocannon'),
    '--json',
    `--connections=${connections}`,
    `--duration=${seconds}`,
    `--method=${method}`,
    ...(rate === undefined ? [] : [`--overallRate=${Math.round(rate)}`]),
    ...(callerHeader === undefined ? [] : [`--headers=${callerHeader}=C1`]),
    ...(callerTokens ? [`--headers=authorization=Bearer ${callerTokens[0]}`] : []),
    ...(body === undefined ? [] : ['--headers=content-type=application/json', `--body=${body}`]),
    url,
  ]);
  const { stdout } = await run(command as string, parameters);
  const report = JSON.parse(stdout) as AutocannonReport;
  return {
    perSecond: report.requests.average - report.non2xx / seconds,
    p50Ms: report.latency.p50,
    p99Ms: report.latency.p99,
    failed: report.errors + report.non2xx,
  };
}
