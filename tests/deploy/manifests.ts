import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { projectRoot } from '../../system/index.ts';

export const KUBERNETES = join(projectRoot, 'deploy', 'kubernetes');

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly {
    readonly configMapRef?: { readonly name: string };
    readonly secretRef?: { readonly name: string };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly requests?: object; readonly limits?: object };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string };
    readonly configMap?: { readonly name: string };
  }[];
}

/** An object of Kubernetes, as far as the checks look into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly template?: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly ingress?: readonly {
      readonly ports: readonly { readonly port: number }[];
      readonly from?: readonly {
        readonly podSelector?: {
          readonly matchExpressions: readonly { readonly values: readonly string[] }[];
        };
        readonly namespaceSelector?: object;
      }[];
    }[];
  };
}

interface Kustomization {
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images?: readonly { readonly name: string }[];
}

/** A kustomization of deploy/kubernetes, and the objects that it and those below it list. */
export interface Kustomized {
  readonly kustomization: Kustomization;
  /** Paths below deploy/kubernetes. */
  readonly files: readonly string[];
  readonly manifests: readonly Manifest[];
}

/** Reads what `kubectl apply -k` would, in its order; YAML 1.1, as kubectl does. @throws where a file is not valid */
export function kustomized(folder: string): Kustomized {
  const file = join(folder, 'kustomization.yaml');
  const kustomization = parse(readFileSync(file, 'utf8'), { version: '1.1' }) as Kustomization;
  const parts = kustomization.resources.map((resource) => {
    const path = join(folder, resource);
    if (!resource.endsWith('.yaml')) return kustomized(path);
    return { files: [relative(KUBERNETES, path)], manifests: manifestsIn(path) };
  });
  return {
    kustomization,
    files: [relative(KUBERNETES, file), ...parts.flatMap(({ files }) => files)],
    manifests: parts.flatMap(({ manifests }) => manifests),
  };
}

function manifestsIn(path: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(path, 'utf8'), { version: '1.1' }).map((document) => {
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong) throw new Error(`${path}: ${wrong.message}`);
    return document.toJS() as Manifest;
  });
}

/** What runs pods: its name, what it is, and the pod. */
export interface Workload {
  readonly name: string;
  readonly kind: string;
  readonly replicas: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodSpec;
  readonly container: Container;
}

/** Each has one container. */
export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return manifests.flatMap(({ kind, metadata: { name }, spec }) => {
    const { template } = spec ?? {};
    const [container] = template?.spec.containers ?? [];
    if (!template || !container) return [];
    const { labels = {} } = template.metadata;
    return [{ name, kind, replicas: spec?.replicas, labels, pod: template.spec, container }];
  });
}

/** Where a variable of a container gets its value: written here, or in a Secret. */
export type Setting =
  { readonly value: string } | { readonly secret: string; readonly key: string | undefined };

/** The variables of a container, by name; a Secret that is taken as a whole by `SECRET/*`. */
export function settingsOf(
  { env = [], envFrom = [] }: Container,
  manifests: readonly Manifest[],
): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const { configMapRef, secretRef } of envFrom) {
    if (secretRef) settings.set(`${secretRef.name}/*`, { secret: secretRef.name, key: undefined });
    if (!configMapRef) continue;
    const map = manifests.find(
      ({ kind, metadata: { name } }) => kind === 'ConfigMap' && name === configMapRef.name,
    );
    if (!map) throw new Error(`there is no ConfigMap ${configMapRef.name}`);
    for (const [name, value] of Object.entries(map.data ?? {})) settings.set(name, { value });
  }
  for (const { name, value, valueFrom } of env) {
    const { secretKeyRef: from, fieldRef } = valueFrom ?? {};
    if (from) settings.set(name, { secret: from.name, key: from.key });
    else settings.set(name, { value: value ?? fieldRef?.fieldPath ?? '' });
  }
  return settings;
}
