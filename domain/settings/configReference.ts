import { z } from 'zod';
import { type Field, fieldsOf } from '../base/schemaFields.js';
import { loopConfigSchema } from '../config.js';
import { startLoopRequestSchema } from '../loop/startRequest.js';

/** JSON Schema of a loop's configuration, for editors and other tools. */
export const configJsonSchema = (): unknown => z.toJSONSchema(loopConfigSchema, { io: 'input' });

/** `docs/config.md`: every field with its allowed values and its default, from the schemas themselves. */
export function configReference(): string {
  return [
    '# Configuration',
    '',
    'Made from `domain/config.ts` by `npx partloop config docs`; do not edit by hand.',
    '',
    'A value comes from the first of these that gives it: the request, its `settings`, the `defaults.json` of the pool, the',
    "default below. The import chooses `defaults.json` by the pool's size. The details of every workflow show the resolved",
    'configuration.',
    '',
    'Each source is checked by itself, and then all settings together. An error names the field and the allowed values, and',
    'the nearest field for a misspelt one. `--set` takes each setting once, and none that another option gives.',
    'An error in `defaults.json` names its field; everything else of the pool works.',
    '',
    '## The input of `startLoop`',
    '',
    'All fields may be omitted: `{}` works if there is one pool. `partloop loop start` has an option for each.',
    '',
    ...table(fieldsOf(startLoopRequestSchema)),
    '',
    '## The configuration of a loop',
    '',
    'Give these fields as `settings` of `startLoop`, nested as the dots show, or with `--set path=value`.',
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
