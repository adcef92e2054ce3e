import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRICS, type MetricName } from '../../../domain/metrics.js';
import { ROOT } from '../../support/binaries.js';

const FOLDER = join(ROOT, 'infra', 'monitoring');
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

const dashboard = z
  .looseObject({
    templating: z.looseObject({
      list: z.array(
        z.looseObject({
          name: z.string(),
          query: z.union([z.string(), z.object({ query: z.string(), refId: z.string() })]),
        }),
      ),
    }),
    panels: z.array(
      z.looseObject({
        id: z.number(),
        title: z.string().min(1),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })).min(1),
      }),
    ),
  })
  .parse(JSON.parse(read('dashboard.json')));
const { groups } = z
  .strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string(),
            expr: z.string(),
            for: z
              .string()
              .regex(/^\d+[smhd]$/)
              .optional(),
            labels: z.strictObject({ severity: z.enum(['info', 'warning', 'critical']) }),
            annotations: z.strictObject({ summary: z.string(), action: z.string() }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(read('alerts.yml')));
const rules = groups.flatMap((group) => group.rules);
const queries: { where: string; expr: string; text: string }[] = [
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expr, text: legendFormat })),
  ),
  ...rules.map(({ alert, expr, annotations }) => ({ where: alert, expr, text: JSON.stringify(annotations) })),
];

interface Parsed {
  broken: boolean;
  metrics: string[];
  /** Labels by which it selects or groups. */
  labels: string[];
  grouping: string[];
}

/** What a query of Prometheus names. */
function parsed(expr: string): Parsed {
  const found: Parsed = { broken: false, metrics: [], labels: [], grouping: [] };
  parser.parse(expr).iterate({
    enter: ({ name, type, from, to, node }) => {
      const text = expr.slice(from, to);
      if (type.isError) found.broken = true;
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') found.metrics.push(text);
      if (name === 'LabelName') {
        found.labels.push(text);
        if (node.parent?.name === 'GroupingLabels') found.grouping.push(text);
      }
    },
  });
  return found;
}

/** The metric that a series is of, and the labels that such a series has. */
function declared(series: string): { name: MetricName; labels: readonly string[] } | null {
  for (const [name, { kind, labels }] of Object.entries(METRICS) as [MetricName, (typeof METRICS)[MetricName]][]) {
    const ends = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (ends.some((end) => series === `${name}${end}`)) return { name, labels };
  }
  return null;
}

/** Labels and series that Prometheus adds by itself. */
const SCRAPED = ['instance', 'job', 'le'];

describe('the dashboard and the alerts', () => {
  it('are queries that Prometheus can parse, and the parser refuses others', () => {
    assert.ok(queries.length > 20);
    assert.deepEqual(
      queries.filter(({ expr }) => parsed(expr).broken),
      [],
    );
    for (const wrong of ['sum by (loop (partloop_miou)', 'rate(partloop_miou[5m', 'partloop_miou{loop=}'])
      assert.ok(parsed(wrong).broken, wrong);
  });

  it('name only metrics that workers have, and labels that those have', () => {
    const wrong = queries.flatMap(({ where, expr }) => {
      const { metrics, labels } = parsed(expr);
      assert.ok(metrics.length > 0, where);
      const known = metrics.map((series) => (series === 'up' ? { labels: [] } : declared(series)));
      const allowed = new Set<string>([...SCRAPED, ...known.flatMap((one) => one?.labels ?? [])]);
      const strange = metrics.filter((_, index) => known[index] === null);
      return [...strange, ...labels.filter((label) => !allowed.has(label))].map((name) => `${where}: ${name}`);
    });
    assert.deepEqual(wrong, []);
    assert.equal(declared('partloop_activity_seconds'), null, 'a histogram has no series of its own name');
    assert.equal(declared('partloop_nothing'), null);
  });

  it('write of a series only labels that its query leaves', () => {
    for (const { where, expr, text } of queries) {
      const { grouping } = parsed(expr);
      if (grouping.length === 0) continue;
      const used = [...text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, label = '']) => label);
      for (const label of used) assert.ok(grouping.includes(label), `${where}: ${label}`);
    }
  });

  it('show every metric', () => {
    const shown = new Set(queries.flatMap(({ expr }) => parsed(expr).metrics.map((series) => declared(series)?.name)));
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !shown.has(name as MetricName)),
      [],
    );
  });

  it('have panels with numbers of their own that do not overlap', () => {
    const { panels } = dashboard;
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const [at, { title, gridPos: a }] of panels.entries())
      for (const { gridPos: b, title: other } of panels.slice(at + 1))
        assert.ok(
          a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y,
          `${title} and ${other} overlap`,
        );
    for (const { title, gridPos } of panels) assert.ok(gridPos.x + gridPos.w <= 24, title);
  });

  it('cover no progress, repeated failure, disk and approval', () => {
    const names = rules.map(({ alert }) => alert);
    for (const name of ['NoProgress', 'FailingRepeatedly', 'DiskAlmostFull', 'ApprovalPending'])
      assert.ok(names.includes(`Partloop${name}`), name);
  });
});
