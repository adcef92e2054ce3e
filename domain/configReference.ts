import { z } from 'zod';
import { loopConfigSchema } from './config.js';
import { startLoopRequestSchema } from './messages.js';

const nodeSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().optional(),
  pattern: z.string().optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** JSON Schema of a loop's configuration, for editors and other tools. */
export const configJsonSchema = (): unknown => z.toJSONSchema(loopConfigSchema, { io: 'input' });

/** `docs/config.md`: every field with what is allowed and its default, from the schemas themselves. */
export function configReference(): string {
  return [
    '# Configuration',
    '',
    'Made from `domain/config.ts` by `npx partloop config docs`; do not edit by hand.',
    '',
    "A value comes from the request, else from its `settings`, else from the pool's `defaults.json` (chosen at import by the",
    "pool's size), else from the default below. The resolved configuration is shown in the details of every workflow.",
    '',
    '## The input of `startLoop`',
    '',
    'All fields may be left out: `{}` works where there is one pool. `partloop loop start` has an option for each.',
    '',
    ...table(rowsOf(z.toJSONSchema(startLoopRequestSchema, { io: 'input' }), '')),
    '',
    '## The configuration of a loop',
    '',
    'Given as `settings` of `startLoop`, nested as the dots say, or with `--set path=value`.',
    '',
    ...table(rowsOf(configJsonSchema(), '')),
    '',
  ].join('\n');
}

interface Row {
  path: string;
  allowed: string;
  fallback: string;
  description: string;
}

function rowsOf(schema: unknown, path: string): Row[] {
  const node = nodeSchema.parse(schema);
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([name, child]) =>
      rowsOf(child, path === '' ? name : `${path}.${name}`),
    );
  }
  const inner = node.anyOf === undefined ? node : nodeSchema.parse(node.anyOf[0]);
  return [
    {
      path,
      allowed: allowed(inner) + (node.anyOf === undefined ? '' : ' or null'),
      fallback: node.default === undefined ? '' : JSON.stringify(node.default),
      description: node.description ?? '',
    },
  ];
}

function allowed(node: z.infer<typeof nodeSchema>): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  const low = node.minimum ?? node.exclusiveMinimum;
  const high = node.maximum ?? node.exclusiveMaximum;
  const range =
    low === undefined || high === undefined
      ? ''
      : ` ${node.exclusiveMinimum === undefined ? '' : '>'}${low}–${node.exclusiveMaximum === undefined ? '' : '<'}${high}`;
  const step = node.multipleOf === undefined ? '' : `, multiple of ${node.multipleOf}`;
  return `${String(node.type ?? 'any')}${range}${step}`;
}

const table = (rows: readonly Row[]): string[] => [
  '| field | allowed | default | what it does |',
  '|---|---|---|---|',
  ...rows.map(
    ({ path, allowed: values, fallback, description }) =>
      `| \`${path}\` | ${values} | ${fallback === '' ? '' : `\`${fallback}\``} | ${description} |`,
  ),
];
