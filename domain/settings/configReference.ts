import { z } from 'zod';
import { type Field, fieldsOf } from '../base/schemaFields.js';
import { loopConfigSchema } from '../config.js';
import { startLoopRequestSchema } from '../messages.js';

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
    'Each of these is checked by itself before they are put together, and then whether the settings go together: an error names',
    'the field, what is allowed there, and the nearest name where there is no such field. `--set` takes one setting once, and none',
    'that an option of the same command gives. A faulty `defaults.json` is named with its field; the pool can be used otherwise.',
    '',
    '## The input of `startLoop`',
    '',
    'All fields may be left out: `{}` works where there is one pool. `partloop loop start` has an option for each.',
    '',
    ...table(fieldsOf(startLoopRequestSchema)),
    '',
    '## The configuration of a loop',
    '',
    'Given as `settings` of `startLoop`, nested as the dots say, or with `--set path=value`.',
    '',
    ...table(fieldsOf(loopConfigSchema)),
    '',
  ].join('\n');
}

const table = (rows: readonly Field[]): string[] => [
  '| field | allowed | default | what it does |',
  '|---|---|---|---|',
  ...rows.map(
    ({ path, allowed, fallback, description }) =>
      `| \`${path}\` | ${allowed} | ${fallback === '' ? '' : `\`${fallback}\``} | ${description} |`,
  ),
];
