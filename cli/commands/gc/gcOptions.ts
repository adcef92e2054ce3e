import { type Command, Option } from 'commander';
import { AGES, type CleanUpRequest } from '../../../domain/cleanup/requests.js';
import { wholeNumberBetween } from '../../options.js';

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
    .option(
      '--shards',
      'Take what judges said of each image of finished scans too; a reset in the Temporal UI then judges again',
    )
    .option('--copies', 'Take reduced pictures of a size that no loop trains on too, while nothing runs')
    .addOption(
      new Option('--older-than <hours>', 'Leave what was written within so many hours')
        .default(hours.usual)
        .argParser(wholeNumberBetween(hours.least, hours.most)),
    )
    .addOption(
      new Option(
        '--abandoned-after <days>',
        'Leave unfinished steps, uploads, evaluations and copies that are younger than so many days',
      )
        .default(days.usual)
        .argParser(wholeNumberBetween(days.least, days.most)),
    );
}

/** The same as the request of a clean-up. */
export const requestOf = ({ shards, copies, olderThan, abandonedAfter }: Scope, isFinal: boolean): CleanUpRequest => ({
  ...{
    delete: isFinal,
    shards: shards === true,
    copies: copies === true,
    olderThanHours: olderThan,
    abandonedAfterDays: abandonedAfter,
  },
});
