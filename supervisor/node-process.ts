import { spawn } from 'node:child_process';
import type { Launch, Launcher } from './launcher.ts';
import { startedOrDead } from './launcher.ts';
import { lastWords } from './last-words.ts';
import type { LogSink } from './log-sink.ts';
import { marker } from './marker.ts';
import type { ProcessDefinition } from './process-definition.ts';

const START_TIMEOUT_MS = 60_000;

interface NodeProcessOptions {
  /** Its whole environment, ports as wanted for the first start. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataDir: string;
  readonly cwd: string;
  readonly host: string;
  readonly sink: LogSink;
}

/** Starts one of our own processes, which says over its IPC channel where it listens. */
export class NodeProcess implements Launcher {
  readonly name: string;
  readonly #definition: ProcessDefinition;
  readonly #options: NodeProcessOptions;
  /** Ports of the first incarnation: later ones must be found at the same place. */
  #ports: Readonly<Record<string, number>> = {};

  constructor(definition: ProcessDefinition, options: NodeProcessOptions) {
    this.name = definition.name;
    this.#definition = definition;
    this.#options = options;
  }

  get url(): string {
    return this.#urlOf(this.#definition.ports[0].key) ?? '';
  }

  get adminUrl(): string | undefined {
    return this.#definition.ports[0].key === 'admin' ? undefined : this.#urlOf('admin');
  }

  launch(): Launch {
    const { env, dataDir, sink, cwd } = this.#options;
    const output = sink.stdio(this.name);
    const child = spawn(
      process.execPath,
      [
        '--enable-source-maps',
        ...(this.#definition.nodeFlags ?? []),
        this.#definition.entry,
        marker(dataDir),
      ],
      {
        cwd,
        env: { ...env, ...this.#portVariables() },
        stdio: ['ignore', output, output, 'ipc'],
        // A session of its own: Ctrl-C on the terminal reaches the supervisor alone, which then
        // stops the processes in order.
        detached: true,
      },
    );
    sink.attach(this.name, child);
    const listening = new Promise<void>((resolve) => {
      child.on('message', (message: unknown) => {
        if (!isListening(message)) return;
        this.#ports = named(message.ports);
        resolve();
      });
    });
    const started = startedOrDead(this.name, child, listening, {
      timeoutMs: START_TIMEOUT_MS,
      reason: () => lastWords(sink.tail(this.name, 20), child.pid),
    });
    return { child, started };
  }

  #urlOf(key: string): string | undefined {
    const port = this.#ports[key];
    return port === undefined ? undefined : `http://${this.#options.host}:${port}`;
  }

  #portVariables(): Record<string, string> {
    const variables: Record<string, string> = {};
    for (const { key, variable } of this.#definition.ports) {
      const port = this.#ports[key];
      if (port !== undefined) variables[variable] = String(port);
    }
    return variables;
  }
}

function isListening(message: unknown): message is { ports: Record<string, number> } {
  return (message as { type?: unknown } | null)?.type === 'listening';
}

/** A process with one port may call it what it likes; here it is `http`. */
function named(ports: Readonly<Record<string, number>>): Record<string, number> {
  const first = Object.entries(ports).find(([key]) => key !== 'admin');
  return { ...(first ? { http: first[1] } : {}), ...ports };
}
