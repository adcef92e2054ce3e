import { check } from '../../../domain/base/checked.js';
import { loopConfigSchema, poolDefaults } from '../../../domain/config.js';
import { loopMachineSchema } from '../../../domain/loop/machine.js';
import { resolveConfig, startLoopRequestSchema } from '../../../domain/loop/startRequest.js';
import {
  loopIterationInputSchema,
  retryIterationSchema,
  runIterationsSchema,
  scanInputSchema,
  scanRequestSchema,
  stopSchema,
  tuneInputSchema,
} from '../../../domain/messages.js';
import { parseRequest } from '../../../domain/settings/parse.js';
import { mergeSettings } from '../../../domain/settings/settings.js';
import { carParts34 } from '../../../domain/taxonomies/carParts34.js';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import { userModelSchema } from '../../../domain/userModel.js';
import { manifestSchema } from '../../../formats/manifest.js';
import { TAXONOMY } from '../../../test/support/pictures/pictures.js';
import { mutateJson } from '../mutateJson.js';
import type { Target } from '../target.js';
import { exported } from './review.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const step = {
  step: 'draw',
  digest: 'd'.repeat(64),
  outcome: 'miss',
  outputs: { chunk: 'a.parquet' },
  facts: {},
  seconds: 1,
};
const context = { loop: 'cars', iteration: 1, config, previous: null, force: null };

/** Valid messages of a person or another program. */
export const MESSAGES = [
  [startLoopRequestSchema, { pool: 'cars', iterations: 3, chunkSize: 100, settings: { train: { iterations: 9 } } }],
  [loopMachineSchema, { config, remaining: 3, pending: { iterations: 1, config }, paused: false }],
  [loopIterationInputSchema, { context }],
  [scanRequestSchema, { pool: 'cars', crossValidate: 2, batchSize: 4, settings: { scan: { folds: 2 } } }],
  [scanInputSchema, { context, draw: step, judge: { kind: 'model', scan: 'a', card: 'b' }, resume: null }],
  [tuneInputSchema, { context, results: { draw: step }, resume: null }],
  [runIterationsSchema, { iterations: 2, config }],
  [retryIterationSchema, { iteration: 1, from: 'train' }],
  [stopSchema, { now: true }],
  [userModelSchema, { size: 512, classes: ['background', 'hood'], classMap: { bonnet: 'hood' }, mean: [0, 0, 0] }],
  [loopConfigSchema, config],
] as const;

export const schemas: Target[] = [
  {
    name: 'messages',
    share: 150,
    async run(choices) {
      const [schema, value] = choices.pick(MESSAGES);
      parseRequest(schema, mutateJson(value, choices), 'a message');
      return 'taken';
    },
  },
  {
    name: 'settings',
    share: 100,
    async run(choices) {
      const { train, scan, gate } = config;
      const settings = choices.chance(0.7) ? mutateJson({ train, scan, gate }, choices) : { train };
      const asked = { pool: 'cars', iterations: 2, settings };
      const message = choices.chance(0.3) ? mutateJson(asked, choices) : asked;
      const request = parseRequest(startLoopRequestSchema, message, 'startLoop');
      mergeSettings(settings, mutateJson(settings, choices));
      resolveConfig(request, 'cars', choices.chance(0.5) ? poolDefaults(choices.size(1e6)) : settings);
      return 'taken';
    },
  },
  {
    name: 'taxonomy',
    share: 60,
    async run(choices) {
      parseTaxonomy(mutateJson(choices.chance(0.3) ? carParts34 : TAXONOMY, choices), 'a file');
      return 'taken';
    },
  },
  {
    name: 'manifest',
    share: 40,
    async run(choices) {
      const { files } = await exported.coco();
      const manifest: unknown = JSON.parse(Buffer.from(files.get('manifest.json') ?? []).toString('utf8'));
      return check(manifestSchema, mutateJson(manifest, choices)).problem === null ? 'taken' : 'refused';
    },
  },
];
