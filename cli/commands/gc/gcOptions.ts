import { type Command, Option } from 'commander';
import { AGES, type CleanUpRequest, cleanUpSchema } from '../../../domain/cleanup/requests.js';
import { wholeNumberBetween } from '../../options.js';

const { shape } = cleanUpSchema;
const help = (field: keyof typeof shape): string => shape[field].description ?? '';

/** What a clean-up takes. */
export interface Scope {
  shards?: true;
  copies?: true;
  olderThan: number;
  abandonedAfter: number;
}

/** The options by which a clean-up, now or at fixed times, takes more or less. */
export function addScopeOptions(command: Command): Command {
  const { olderThanHours: hours, abandonedAfterDays: days } = AGES;
  return command
    .option('--shards', help('shards'))
    .option('--copies', help('copies'))
    .addOption(
      new Option('--older-than <hours>', help('olderThanHours'))
        .default(hours.usual)
        .argParser(wholeNumberBetween(hours.least, hours.most)),
    )
    .addOption(
      new Option('--abandoned-after <days>', help('abandonedAfterDays'))
        .default(days.usual)
        .argParser(wholeNumberBetween(days.least, days.most)),
    );
}

/** The same as the request of a clean-up. */
export const requestOf = ({ shards, copies, olderThan, abandonedAfter }: Scope, isFinal: boolean): CleanUpRequest => ({
  delete: isFinal,
  shards: shards === true,
  copies: copies === true,
  olderThanHours: olderThan,
  abandonedAfterDays: abandonedAfter,
});
