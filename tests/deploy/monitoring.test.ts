import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const repository = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, repository), 'utf8');

async function rules(): Promise<readonly Rule[]> {
  const { groups } = parse(await read('deploy/prometheus/alerts.yml')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap((group) => group.rules);
}

async function expressionsOfDashboard(): Promise<readonly string[]> {
  const { panels } = JSON.parse(await read('deploy/grafana/fig.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** The metrics that an expression names, without the labels. */
function metricsOf(expr: string): readonly string[] {
  return expr.match(/\b(?:fig|nodejs|process)_[a-z0-9_]+/g) ?? [];
}

describe('the rules and the dashboard of deploy/', () => {
  it('name only metrics that a migration has emitted', async () => {
    // Written from the answers of running processes in the course of a migration, which another test repeats.
    const emitted = await read('tests/surfaces/snapshot/metrics.txt');
    const named = [
      ...(await rules()).map(({ expr }) => expr),
      ...(await expressionsOfDashboard()),
    ].flatMap(metricsOf);
    expect(named.length).toBeGreaterThan(50);
    const unknown = new Set(named.filter((name) => !new RegExp(`\\b${name}\\b`).test(emitted)));
    expect([...unknown]).toEqual([]);
  });

  it('and each alert has a paragraph that says what to do', async () => {
    for (const { alert, annotations, labels } of await rules()) {
      const [page = '', anchor] = annotations.runbook.split('#');
      const headings = (await read(page)).match(/^### .+$/gm) ?? [];
      expect(headings).toContain(`### ${alert}`);
      expect(anchor).toBe(alert.toLowerCase());
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).not.toBe('');
    }
  });

  it('each alert is tried by series that make it fire, and by series that do not', async () => {
    const { tests } = parse(await read('deploy/prometheus/alerts.test.yml')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const tried = tests.flatMap((one) => one.alert_rule_test);
    for (const { alert } of await rules()) {
      const counts = tried
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts: fired }) => fired.length);
      expect({ alert, counts }).toEqual({ alert, counts: [0, 1] });
    }
  });
});
