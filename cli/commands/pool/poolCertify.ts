import { type Command, InvalidArgumentError } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import type { Certificate } from '../../../domain/review/certificate/certificate.js';
import { type FurtherReviews, furtherReviews } from '../../../domain/review/certificate/further.js';
import { certificateTexts, furtherTexts } from '../../../domain/review/certificate/text.js';
import { certifyPool, type PoolCertificate } from '../../../storage/certificate.js';
import { openPool } from '../../../storage/pool/pool.js';
import { poolScans } from '../../../storage/scans.js';
import { openEnvironmentStore } from '../../environment.js';
import { number, name as poolName } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';

const BELOW = 0.05;

/** `partloop pool certify`. */
export function registerCertify(pool: Command): void {
  pool
    .command('certify')
    .description('Show how many labels of a pool are wrong at most, by the answers to audit samples of its scans')
    .argument('<pool>', 'Name of the pool', poolName)
    .option('--below <share>', 'Wanted bound: tells how many more reviews would reach it', share, BELOW)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { below, json }: { below: number; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const made = await certifyPool(store, await openPool(store, name), await poolScans(store, name));
      const { certificate, scans, notCovered } = made;
      const further = certificate === null ? null : furtherReviews(made.images, certificate, below);
      if (json) printJson({ pool: name, certificate, further, scans, notCovered });
      else if (certificate === null || further === null) tellNone(name, scans);
      else tell(name, { ...made, certificate, further });
    });
}

interface Made extends PoolCertificate {
  certificate: Certificate;
  further: FurtherReviews;
}

function tell(pool: string, { certificate, further, scans, notCovered }: Made): void {
  say(`pool ${pool}:`, ...[...certificateTexts(certificate), ...furtherTexts(further)].map((text) => `  ${text}`));
  const { images, test } = notCovered;
  if (images > 0)
    say(
      `  Nothing is claimed of ${counted(images, 'other image', 'other images')} of the pool, ${test} of the test split.`,
    );
  printTable(scans);
}

/** What to do for a first certificate. */
function tellNone(pool: string, scans: PoolCertificate['scans']): void {
  const [scan] = scans;
  if (scan === undefined)
    say(
      `No certificate: pool ${pool} has no scan with an audit sample.`,
      `\`partloop scan run --pool ${pool}\` makes one.`,
    );
  else
    say(
      `No certificate: nobody has answered an image of an audit sample of pool ${pool} yet.`,
      `\`partloop scan export ${scan.scan} --format coco --out REVIEW\` holds the ${counted(scan.drawn, 'image', 'images')} of the newest one.`,
      'Look at each image whole, then `partloop review import REVIEW/annotations.json --unchanged right`.',
    );
}

function share(text: string): number {
  const value = number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('give a share above 0 and below 1, such as 0.05.');
}
