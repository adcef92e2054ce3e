import { check } from '../../../domain/checked.js';
import { loopConfigSchema, poolDefaults } from '../../../domain/config.js';
import {
  loopIterationInputSchema,
  parseRequest,
  resolveConfig,
  retryIterationSchema,
  runIterationsSchema,
  scanInputSchema,
  scanRequestSchema,
  startLoopRequestSchema,
  stopSchema,
  trainingLoopInputSchema,
  tuneInputSchema,
} from '../../../domain/messages.js';
import { mergeSettings } from '../../../domain/settings.js';
import { carParts34 } from '../../../domain/taxonomies/carParts34.js';
import { parseTaxonomy } from '../../../domain/taxonomy.js';
import { userModelSchema } from '../../../domain/userModel.js';
import { manifestSchema } from '../../../formats/manifest.js';
import { TAXONOMY } from '../../../test/support/pictures.js';
import { mutateJson } from '../mutateJson.js';
import type { Target } from '../target.js';

const config = loopConfigSchema.parse({ pool: 'cars' });
const context = { loop: 'cars', iteration: 1, config };

/** Messages as a person or another program may send them, with one that is as it should be. */
const MESSAGES = [
  [
    startLoopRequestSchema,
    { pool: 'cars', iterations: 3, chunkSize: 100, seed: 1, settings: { train: { epochs: 1 } } },
  ],
  [trainingLoopInputSchema, { loop: 'cars', iterations: 3, config }],
  [loopIterationInputSchema, context],
  [scanRequestSchema, { pool: 'cars', crossValidate: 2, settings: { batchSize: 1 } }],
  [scanInputSchema, { scan: 'scan-cars-1', pool: 'cars', ...config.scan }],
  [tuneInputSchema, { ...context, trials: [] }],
  [runIterationsSchema, { iterations: 2, config }],
  [retryIterationSchema, { iteration: 1, from: 'train' }],
  [stopSchema, { reason: 'enough' }],
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
      return check(manifestSchema, mutateJson({ version: 1, images: [], classes: [] }, choices)).problem === null
        ? 'taken'
        : 'refused';
    },
  },
];
