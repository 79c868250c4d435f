import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOSE_MS } from '../../chassis/index.ts';
import { projectRoot } from '../../system/index.ts';
import { composeFile } from '../compose/compose-file.ts';
import { settingsOf, workloadsOf } from './manifests.ts';
import type { Container, Manifest, Workload } from './manifests.ts';

/** Our image; all others are those of servers. */
const OURS = 'fig';
/** What differs from docker-compose.yml, where all containers share one folder and none is one of two. */
const DIFFERS = new Set(['FIG_TOKEN_FILE', 'FIG_HOSTS', 'FIG_DRAIN_MS', 'UNLEASH_URL']);
/** Of Kubernetes, for other variables of the same container. */
const OF_PODS = new Set(['POD_IP']);
const PROBED = { startupProbe: '/livez', livenessProbe: '/livez', readinessProbe: '/readyz' };

/** Whatever is wrong with the manifests, as far as this project's own files tell, one line each. */
export function problemsIn(manifests: readonly Manifest[]): readonly string[] {
  const workloads = workloadsOf(manifests);
  return [
    ...workloads.flatMap((workload) => [
      ...unknownVariables(workload, manifests),
      ...unlikeCompose(workload, manifests),
      ...wrongPorts(workload, manifests),
      ...wrongPod(workload, manifests),
      ...missingMounts(workload, manifests),
    ]),
    ...wrongServices(manifests, workloads),
    ...wrongAddresses(manifests, workloads),
    ...wrongPolicies(manifests, workloads),
    ...wrongBudgets(manifests, workloads),
  ];
}

function read(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}

/** Another test keeps this list equal to what the code reads. */
const KNOWN = new Set(read('tests/surfaces/snapshot/environment.txt').match(/^[A-Z][A-Z0-9_]*/gm));

function unknownVariables({ name, container }: Workload, all: readonly Manifest[]): string[] {
  if (container.image !== OURS) return [];
  return [...settingsOf(container, all).keys()]
    .filter((variable) => !variable.endsWith('/*') && !OF_PODS.has(variable))
    .filter((variable) => !KNOWN.has(variable))
    .map((variable) => `${name}: no program reads ${variable}`);
}

function unlikeCompose({ name, container }: Workload, all: readonly Manifest[]): string[] {
  const service = composeFile.services[name];
  if (!service) return [`${name}: docker-compose.yml has no such service`];
  if (container.image !== OURS) {
    const { image } = service as { readonly image?: string };
    return image === container.image ? [] : [`${name}: image ${container.image}, not ${image}`];
  }
  const problems: string[] = [];
  const command = (container.command ?? []).join(' ');
  if (command !== (service.command ?? []).join(' ')) problems.push(`${name}: command ${command}`);
  const entry = /dist\/(\S+)\.js/.exec(command)?.[1] ?? 'nothing';
  if (!existsSync(join(projectRoot, `${entry}.ts`))) problems.push(`${name}: runs ${entry}`);
  for (const [variable, setting] of settingsOf(container, all)) {
    const there = service.environment?.[variable];
    if (there === undefined || DIFFERS.has(variable) || !('value' in setting)) continue;
    if (setting.value !== there) problems.push(`${name}: ${variable}=${setting.value}`);
  }
  return problems;
}

function wrongPorts({ name, container }: Workload, all: readonly Manifest[]): string[] {
  const { ports = [] } = container;
  const problems: string[] = [];
  const told = [...settingsOf(container, all)].flatMap(([variable, setting]) =>
    variable.endsWith('_PORT') && 'value' in setting ? [setting.value] : [],
  );
  const open = ports.map(({ containerPort }) => String(containerPort));
  if (container.image === OURS && told.toSorted().join() !== open.toSorted().join()) {
    problems.push(`${name}: opens ${open.join()}, and is told ${told.join()}`);
  }
  for (const [probe, path] of Object.entries(PROBED)) {
    const { httpGet } = container[probe as keyof typeof PROBED] ?? {};
    if (container.image !== OURS || ports.length === 0) {
      if (httpGet && !ports.some((port) => port.name === httpGet.port)) {
        problems.push(`${name}: ${probe} asks no port of its own`);
      }
      continue;
    }
    if (httpGet?.path !== path) problems.push(`${name}: ${probe} asks ${String(httpGet?.path)}`);
    // The front port serves the application's routes; operators' routes are at the admin port.
    const wanted = ports.find((port) => port.name === 'admin') ?? ports[0];
    if (httpGet?.port !== wanted?.name)
      problems.push(`${name}: ${probe} at ${String(httpGet?.port)}`);
  }
  return problems;
}

function wrongPod({ name, pod, container, kind }: Workload, all: readonly Manifest[]): string[] {
  const problems: string[] = [];
  const want = (ok: boolean, what: string): void => void (ok || problems.push(`${name}: ${what}`));
  const { securityContext: own = {}, resources = {} } = container;
  want(pod.enableServiceLinks === false, 'enableServiceLinks would set FACADE_PORT and others');
  want(pod.automountServiceAccountToken === false, 'a token of the cluster that it needs not');
  want(pod.securityContext?.['runAsNonRoot'] === true, 'may run as root');
  want(own['readOnlyRootFilesystem'] === true, 'may write to its root file system');
  want(own['allowPrivilegeEscalation'] === false, 'may become root');
  want(JSON.stringify(own['capabilities']) === '{"drop":["ALL"]}', 'keeps capabilities');
  want(resources.requests !== undefined && resources.limits !== undefined, 'has no resources');
  if (container.image !== OURS || kind === 'Job') return problems;
  const drain = settingsOf(container, all).get('FIG_DRAIN_MS');
  const drainMs = drain && 'value' in drain ? Number(drain.value) : Number.NaN;
  const hookMs = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000;
  const graceMs = (pod.terminationGracePeriodSeconds ?? 30) * 1_000;
  want(graceMs > drainMs + hookMs + CLOSE_MS, `is killed after ${graceMs} ms, before it has ended`);
  return problems;
}

/** Of files that settings name, and of volumes. */
function missingMounts({ name, pod, container }: Workload, all: readonly Manifest[]): string[] {
  const volumes = new Set((pod.volumes ?? []).map((volume) => volume.name));
  const { kind } = all.find((each) => each.metadata.name === name) ?? {};
  const claims = new Set(
    all
      .filter((each) => each.kind === 'StatefulSet' && each.metadata.name === name)
      .flatMap(({ spec }) => spec?.volumeClaimTemplates ?? [])
      .map(({ metadata }) => metadata.name),
  );
  const mounts = container.volumeMounts ?? [];
  const paths = [...settingsOf(container, all)].flatMap(([variable, setting]) => {
    // A Job that loads rows asks for no token.
    const isUsed = kind !== 'Job' || variable === 'FIG_DATA_DIR';
    const isFile = 'value' in setting && /^\/(?:data|secrets)(?:\/|$)/.test(setting.value);
    return isFile && isUsed ? [setting.value] : [];
  });
  return [
    ...mounts
      .filter((mount) => !volumes.has(mount.name) && !claims.has(mount.name))
      .map((mount) => `${name}: mounts ${mount.name}, which is no volume`),
    ...paths
      .filter((path) => !mounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`)))
      .map((path) => `${name}: ${path} lies in no volume`),
  ];
}

/** Which workload a selector means. */
function selected(
  labels: Readonly<Record<string, unknown>>,
  workloads: readonly Workload[],
): Workload | undefined {
  return workloads.find((workload) =>
    Object.entries(labels).every(([key, value]) => workload.labels[key] === value),
  );
}

function wrongServices(all: readonly Manifest[], workloads: readonly Workload[]): string[] {
  return all
    .filter(({ kind }) => kind === 'Service')
    .flatMap(({ metadata: { name }, spec }) => {
      const workload = selected(spec?.selector ?? {}, workloads);
      if (!workload) return [`Service ${name}: selects no pod`];
      return (spec?.ports ?? []).flatMap(({ port, targetPort }) => {
        const target = workload.container.ports?.find((each) => each.name === targetPort);
        return target?.containerPort === port ? [] : [`Service ${name}: ${port} is not served`];
      });
    });
}

/** A connection that one workload opens to another. */
type Edge = `${string} -> ${string}:${number}`;

/** What a Secret's URL leads to, among the stand-ins. */
function behindSecret(variable: string): readonly [string, number] | undefined {
  if (variable === 'REDIS_URL') return ['redis', 6379];
  return variable.endsWith('DATABASE_URL') ? ['postgres', 5432] : undefined;
}

/** Of a container's settings: the Services that it is to reach. */
function addressesOf(
  container: Container,
  all: readonly Manifest[],
): (readonly [string, number])[] {
  return [...settingsOf(container, all)].flatMap(([variable, setting]) => {
    if (!('value' in setting)) {
      const place = behindSecret(variable);
      return place ? [place] : [];
    }
    const [, host, port] = /^http:\/\/([\w-]+):(\d+)/.exec(setting.value) ?? [];
    return host === undefined ? [] : [[host, Number(port)] as const];
  });
}

function wrongAddresses(all: readonly Manifest[], workloads: readonly Workload[]): string[] {
  return workloads.flatMap(({ name, container }) =>
    addressesOf(container, all).flatMap(([host, port]) => {
      const service = all.find((each) => each.kind === 'Service' && each.metadata.name === host);
      const ports = service?.spec?.ports ?? [];
      if (!ports.some((each) => each.port === port)) return [`${name}: no Service ${host}:${port}`];
      const target = selected(service?.spec?.selector ?? {}, workloads);
      if (target?.container.image !== OURS) return [];
      const hosts = settingsOf(target.container, all).get('FIG_HOSTS');
      const known = hosts && 'value' in hosts ? hosts.value.split(',') : [];
      return known.includes(host) ? [] : [`${target.name}: FIG_HOSTS lacks ${host}`];
    }),
  );
}

/** Pods may open exactly the connections that their settings have them open. */
function wrongPolicies(all: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const policies = all.filter(({ kind }) => kind === 'NetworkPolicy');
  const denied = policies.some(
    ({ spec }) => Object.keys(spec?.podSelector ?? {}).length === 0 && spec?.ingress === undefined,
  );
  const allowed = new Set<Edge>();
  const problems: string[] = denied ? [] : ['no NetworkPolicy denies what no other one allows'];
  for (const { metadata, spec } of policies) {
    if (spec?.ingress === undefined) continue;
    const target = selected(spec.podSelector?.matchLabels ?? { none: '' }, workloads);
    if (!target) problems.push(`NetworkPolicy ${metadata.name}: selects no pod`);
    for (const { ports, from } of spec.ingress) {
      if (from === undefined && metadata.name !== 'facade-clients')
        problems.push(`NetworkPolicy ${metadata.name}: lets everyone in`);
      for (const peer of from ?? []) {
        for (const source of peer.podSelector?.matchExpressions.flatMap(({ values }) => values) ??
          []) {
          for (const { port } of ports) allowed.add(`${source} -> ${target?.name ?? ''}:${port}`);
        }
      }
    }
  }
  const needed = new Set<Edge>();
  for (const { name, container } of workloads) {
    for (const [host, port] of addressesOf(container, all)) {
      const service = all.find((each) => each.kind === 'Service' && each.metadata.name === host);
      const target = selected(service?.spec?.selector ?? { none: '' }, workloads);
      if (target) needed.add(`${name} -> ${target.name}:${port}`);
    }
  }
  const lacking = [...needed].filter((edge) => !allowed.has(edge));
  const idle = [...allowed].filter((edge) => !needed.has(edge));
  return [
    ...problems,
    ...lacking.map((edge) => `no NetworkPolicy allows ${edge}`),
    ...idle.map((edge) => `a NetworkPolicy allows ${edge}, which no setting asks for`),
  ];
}

/** Of several pods one may go at a time. */
function wrongBudgets(all: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const budgets = all
    .filter(({ kind }) => kind === 'PodDisruptionBudget')
    .map(({ spec }) => (spec?.selector?.['matchLabels'] ?? { none: '' }) as Record<string, string>);
  return workloads
    .filter(({ replicas = 1 }) => replicas > 1)
    .filter((workload) => !budgets.some((labels) => selected(labels, [workload])))
    .map(({ name }) => `${name}: no PodDisruptionBudget`);
}

/** Secrets that pods take, as `NAME/KEY`, or `NAME` where they take it as a whole. */
export function secretsIn(manifests: readonly Manifest[]): ReadonlySet<string> {
  const found = workloadsOf(manifests).flatMap(({ pod, container }) => [
    ...[...settingsOf(container, manifests).values()].flatMap((setting) =>
      'value' in setting ? [] : [secretName(setting.secret, setting.key)],
    ),
    ...(pod.volumes ?? []).flatMap(({ name, secret }) => {
      const mount = container.volumeMounts?.find((each) => each.name === name)?.mountPath;
      if (!secret || mount === undefined) return [];
      const keys = [...settingsOf(container, manifests).values()].flatMap((setting) =>
        'value' in setting && setting.value.startsWith(`${mount}/`)
          ? [setting.value.slice(mount.length + 1)]
          : [],
      );
      return keys.map((key) => secretName(secret.secretName, key));
    }),
  ]);
  return new Set(found);
}

function secretName(secret: string, key: string | undefined): string {
  return key === undefined ? secret : `${secret}/${key}`;
}
