import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { trainConfigSchema } from '../../domain/config.js';

const root = process.cwd();
const python = process.env.PARTLOOP_PYTHON ?? join(root, '.venv/bin/python');
const env = { ...process.env, PYTHONPATH: join(root, 'trainer') };

const nodeSchema = z.looseObject({
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.boolean().optional(),
  anyOf: z.array(z.unknown()).optional(),
  enum: z.array(z.string()).optional(),
  items: z.unknown().optional(),
});
const describedSchema = z.object({
  version: z.literal(1),
  schema: z.object({ $defs: z.record(z.string(), z.unknown()) }),
});

/** Constraints on a value besides its type; titles and required fields differ between the libraries. */
const SAID = [
  ...['type', 'default', 'description', 'pattern', 'multipleOf', 'maxLength', 'maxItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
];

/** All values below a JSON Schema by their path: type, default, bounds and sentence. */
function declared(schema: unknown, definitions: Record<string, unknown>, path = ''): Record<string, unknown> {
  const node = nodeSchema.parse(schema);
  if (node.$ref !== undefined) return declared(definitions[node.$ref.split('/').at(-1) ?? ''], definitions, path);
  if (node.properties === undefined) return { [path]: leaf(node) };
  assert.equal(node.additionalProperties, false, `${path} takes fields that it does not know`);
  const below = Object.entries(node.properties).map(([name, child]) =>
    declared(child, definitions, path === '' ? name : `${path}.${name}`),
  );
  return Object.assign({}, ...below);
}

function leaf(schema: unknown): Record<string, unknown> {
  const node = nodeSchema.parse(schema);
  return {
    ...Object.fromEntries(SAID.flatMap((word) => (node[word] === undefined ? [] : [[word, node[word]]]))),
    // Choices have no order.
    ...(node.enum === undefined ? {} : { type: 'string', enum: node.enum.toSorted() }),
    ...(node.anyOf === undefined ? {} : { anyOf: node.anyOf.map(leaf) }),
    ...(node.items === undefined ? {} : { items: leaf(node.items) }),
  };
}

describe('settings of a training', () => {
  before(function () {
    if (existsSync(python)) return;
    console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
    this.skip();
  });

  it('have the same names, defaults, bounds and sentences in the configuration and in the trainer', () => {
    const text = execFileSync(python, ['-m', 'partloop_trainer', 'describe'], { encoding: 'utf8', env });
    const { $defs } = describedSchema.parse(JSON.parse(text)).schema;
    const ours = declared(z.toJSONSchema(trainConfigSchema, { io: 'input' }), {});
    // A path in the job.
    delete ours.warmStart;
    assert.deepEqual(declared($defs.Settings, $defs), ours);
  });

  it('are refused by both if they contradict each other', () => {
    const script =
      'import json,sys; from partloop_trainer.job import parse_job; from partloop_trainer.process.protocol import TrainerError\n' +
      'base = {"version": 1, "workDir": "/w", "train": "/t", "classes": ["background", "hood"],' +
      ' "taxonomyDigest": "t", "trainingSetDigest": "s"}\n' +
      'def fits(settings):\n  try: parse_job({**base, "settings": settings}); return True\n' +
      '  except TrainerError: return False\n' +
      'print(json.dumps([fits(one) for one in json.load(sys.stdin)]))';
    const pairs = [
      { classWeightExponent: 0.75, imageWeightExponent: 0.25 },
      { classWeightExponent: 0.8, imageWeightExponent: 0.25 },
      { loss: 'sum', lossWeights: { ce: 0, dice: 1 } },
      { loss: 'sum', lossWeights: { ce: 0 } },
      { loss: 'ce', lossWeights: { ce: 0 } },
    ];
    const theirs: unknown = JSON.parse(
      execFileSync(python, ['-c', script], { encoding: 'utf8', env, input: JSON.stringify(pairs) }),
    );
    assert.deepEqual(
      theirs,
      pairs.map((one) => trainConfigSchema.safeParse(one).success),
    );
  });
});
