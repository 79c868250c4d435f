import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { figProcesses, projectRoot } from '../../system/index.ts';
import { composeFile } from '../compose/compose-file.ts';
import { problemsIn, secretsIn } from './manifest-checks.ts';
import { KUBERNETES, kustomized, workloadsOf } from './manifests.ts';
import type { Manifest } from './manifests.ts';

const fig = kustomized(join(KUBERNETES, 'fig'));
const all = kustomized(join(KUBERNETES, 'stand-ins'));
const page = readFileSync(join(projectRoot, 'docs', 'kubernetes.md'), 'utf8');

/** The objects, once one text of them was replaced by another. */
function withFault(text: string, fault: string): readonly Manifest[] {
  const before = JSON.stringify(all.manifests);
  const after = before.replace(text, fault);
  if (after === before) throw new Error(`the manifests hold no ${text}`);
  return JSON.parse(after) as readonly Manifest[];
}

describe('deploy/kubernetes', () => {
  it('agrees with the code, with docker-compose.yml, and with itself', () => {
    expect(problemsIn(all.manifests)).toEqual([]);
  });

  it.each([
    ['a port that nothing listens on', '"value":"4003"', '"value":"4004"', 'engine: opens 4003'],
    ['a misspelled variable', '"FACADE_PORT"', '"FACADE_PROT"', 'no program reads FACADE_PROT'],
    ['a path of no probe', '"path":"/readyz"', '"path":"/ready"', 'readinessProbe asks /ready'],
    ['a program that is not there', 'dist/strangler/main.js', 'dist/engine/main.js', 'runs engine'],
    ['another address', 'http://inventory:4001', 'http://inventory:4002', 'inventory:4002'],
    ['a name that services refuse', 'facade,facade-admin', 'facade', 'FIG_HOSTS lacks'],
    ['an end before the drain', 'Seconds":20', 'Seconds":10', 'is killed after 10000 ms'],
    ['a pod with links', 'enableServiceLinks":false', 'enableServiceLinks":true', 'FACADE_PORT'],
    ['root', 'runAsNonRoot":true', 'runAsNonRoot":false', 'may run as root'],
    ['a closed way', '["facade","engine"]', '["facade"]', 'no NetworkPolicy allows engine ->'],
    ['an open way', '["monolith","payment"]', '["monolith","payment","inventory"]', 'asks for'],
    ['a policy for everyone', '"from":[', '"to":[', 'lets everyone in'],
    ['no budget', 'PodDisruptionBudget', 'PodDisruption', 'no PodDisruptionBudget'],
    ['a secret without a mount', '"/secrets/identity"', '"/secrets/id"', 'lies in no volume'],
    ['a Service of no pod', '"targetPort":"admin"', '"targetPort":"adm"', '8081 is not served'],
    ['another server', 'redis:7.4-bookworm', 'redis:6', 'image redis:6'],
  ])('would not with %s', (_what, text, fault, problem) => {
    expect(problemsIn(withFault(text, fault)).join('\n')).toContain(problem);
  });

  it('runs each of our processes, those that requests need twice', () => {
    const replicas = new Map(workloadsOf(all.manifests).map((each) => [each.name, each.replicas]));
    // Flags are the Unleash server's: a file would have to be shared by all pods.
    const wanted = Object.keys(composeFile.services).filter((name) => name !== 'flags');
    expect([...replicas.keys()].toSorted()).toEqual(wanted.toSorted());
    for (const { name } of figProcesses) {
      expect([name, replicas.get(name)]).toEqual([name, name === 'provider' ? 1 : 2]);
    }
  });

  it('makes the databases that docker-compose.yml makes', () => {
    const map = all.manifests.find(({ metadata }) => metadata.name === 'postgres-databases');
    expect(map?.data?.['databases.sql']).toBe(composeFile.configs['databases']?.content);
  });

  it('lists every file, and one namespace for all', () => {
    const files = readdirSync(KUBERNETES, { recursive: true }).map(String);
    expect(all.files.toSorted()).toEqual(files.filter((file) => file.endsWith('.yaml')).toSorted());
    const namespace = fig.manifests.find(({ kind }) => kind === 'Namespace');
    for (const { kustomization } of [fig, all]) {
      expect(kustomization.namespace).toBe(namespace?.metadata.name);
    }
    const names = all.manifests.map(({ kind, metadata: { name } }) => `${kind} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('docs/kubernetes.md', () => {
  it('makes each secret that a pod takes, and no other one', () => {
    const commands = page.matchAll(/create secret generic (\S+)((?:\s+\\?\s*--from-\S+=\S+.*)+)/g);
    const made = [...commands].flatMap(([, name = '', rest = '']) =>
      [...rest.matchAll(/--from-(?:literal|file)=([\w.-]+)/g)].map(([, key]) => `${name}/${key}`),
    );
    const taken = [...secretsIn(all.manifests)];
    expect(taken.length).toBeGreaterThan(10);
    expect(
      taken.filter((name) => !made.some((one) => one === name || one.startsWith(`${name}/`))),
    ).toEqual([]);
    expect(
      made.filter((one) => !taken.some((name) => one === name || one.startsWith(`${name}/`))),
    ).toEqual([]);
  });

  it('names only files, objects and programs that exist', () => {
    const paths = [...page.matchAll(/\bdeploy\/kubernetes\/[\w./-]+/g)].map(([path]) => path);
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
    const programs = [...page.matchAll(/\bdist\/(\S+)\.js/g)].map(([, path]) => `${path}.ts`);
    expect(programs.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
    const objects = new Set(all.manifests.map(({ metadata }) => metadata.name));
    const named = [
      ...page.matchAll(/\b(?:deploy|svc|job|statefulset)\/(?!kubernetes)([\w-]+)(?![\w/-])/g),
    ];
    expect(named.length).toBeGreaterThan(2);
    expect(named.map(([, name = '']) => name).filter((name) => !objects.has(name))).toEqual([]);
  });
});
