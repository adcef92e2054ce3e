import type { Command } from 'commander';
import { SETTING_OF_FIELD, type StartLoopRequest, startLoopRequestSchema } from '../../domain/loop/startRequest.js';
import { number, requestFrom, settingsFrom } from '../options.js';

const { shape } = startLoopRequestSchema;
const help = (field: keyof typeof shape): string => shape[field].description ?? '';

/** The options of a command that starts loops: one for each field of the request, and `--set`. */
export function addLoopOptions(command: Command): Command {
  return command
    .option('--pool <pool>', help('pool'))
    .option('--iterations <n>', help('iterations'), number)
    .option('--chunk-size <n>', help('chunkSize'), number)
    .option('--sample-share <share>', help('sampleShare'), number)
    .option('--image-size <pixels>', help('imageSize'), number)
    .option('--train-iterations <n>', help('trainIterations'), number)
    .option('--batch-size <n>', help('batchSize'), number)
    .option('--preset <name>', help('preset'))
    .option('--seed <n>', help('seed'), number)
    .option('--set <path=value...>', 'Any other setting, e.g. --set scan.quarantineAt=0.6');
}

/** The help of the argument that names the loop. */
export const LOOP_HELP = help('loop');

/** The fields of a request that the options give, checked one by one; missing options make no fields. */
export function loopRequest(
  loop: string | undefined,
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = Object.keys(shape).filter((name) => name !== 'settings' && name !== 'loop');
  const fields = Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  const settings = settingsFrom({ set: options.set, fields, shortFor: { ...SETTING_OF_FIELD, pool: 'pool' } });
  const request = { ...fields, ...(loop === undefined ? {} : { loop }), ...settings };
  requestFrom(startLoopRequestSchema, request);
  return request;
}

/** The same as a whole request. */
export const wholeLoopRequest = (fields: Readonly<Record<string, unknown>>): StartLoopRequest =>
  requestFrom(startLoopRequestSchema, fields);
