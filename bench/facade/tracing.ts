import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { compared } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { interleaved } from './lanes.ts';
import { startOurFacade } from './our-facade.ts';
import type { Stage } from './stage.ts';

/** Shares of traces that are recorded, beside a facade whose traces are off. */
const RATIOS = [
  { name: 'tracing 1 %', ratio: '0.01', goal: { atLeast: 0.95 } },
  // Operators sample a busy facade: the figure is information, without a goal.
  { name: 'tracing 100 %', ratio: '1', goal: undefined },
] as const;

/** What traces cost a facade, with a collector that takes all that it is sent. */
export async function measureTracing(stage: Stage): Promise<readonly Result[]> {
  const collector = await startCollector();
  const { url } = stage.upstreams.quickest;
  const start = (name: string, env: Readonly<Record<string, string>>) =>
    startOurFacade({
      folder: join(stage.folder, name.replaceAll(/\W+/g, '-')),
      legacyUrl: url,
      extractedUrl: url,
      cores: stage.proxyCores,
      env,
    });
  const off = await start('traces off', {});
  const on = await Promise.all(
    RATIOS.map(({ name, ratio }) =>
      start(name, {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: ratio,
      }),
    ),
  );
  try {
    const lanes = [
      { name: 'traces off', url: off.url },
      ...on.map((facade, index) => ({ name: RATIOS[index]?.name ?? '', url: facade.url })),
    ];
    const rounds = await interleaved(lanes, stage.reads, stage);
    return RATIOS.map(({ name, goal }) =>
      compared({
        name: `GET 1 KB, ${name}`,
        unit: 'requests/s',
        rival: 'traces off',
        ...rounds.beside(name, 'traces off', ({ perSecond }) => perSecond),
        ...(goal && { goal }),
      }),
    );
  } finally {
    await Promise.all([off, ...on].map((facade) => facade.stop()));
    await collector.close();
  }
}

async function startCollector(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    req.resume().once('end', () => {
      res.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
