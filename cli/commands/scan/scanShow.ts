import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { z } from 'zod';
import { counted } from '../../../domain/base/counted.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { nameSchema } from '../../../domain/base/ids.js';
import { certificateTexts } from '../../../domain/review/certificate/text.js';
import { countsText } from '../../../domain/scan/counts.js';
import { areaOf, leftOutOfScan } from '../../../domain/scan/export.js';
import { findingClass } from '../../../domain/scan/findingClass.js';
import { PROBABILITIES } from '../../../domain/scan/probabilities.js';
import {
  FINDING_KINDS,
  findingRowSchema,
  type ScanImageRow,
  scanImageRowSchema,
  sizedRowSchema,
} from '../../../domain/tables.js';
import { labelNames } from '../../../domain/taxonomy.js';
import type { StackEnvironment } from '../../../infra/environment.js';
import { certifyPool } from '../../../storage/certificate.js';
import { openPool } from '../../../storage/pool/pool.js';
import { findScan, readMissing } from '../../../storage/scans.js';
import { readJson } from '../../../storage/tables/json.js';
import { readTable } from '../../../storage/tables/table.js';
import { connect, openEnvironmentStore } from '../../environment.js';
import { wholeNumberBetween } from '../../options.js';
import {
  endOf,
  failureOfScan,
  findScanWorkflow,
  type ScanWorkflow,
  scanProgressLine,
} from '../../scan/scanWorkflows.js';
import { printJson, printTable, say } from '../../terminal/output.js';
import { wholeNumber } from '../iteration.js';

const TOP_FINDINGS = 20;
const NAMES_SHOWN = 5;
const summarySchema = z.object({ warnings: z.array(z.string()).default([]) });

/** `partloop scan show`. */
export function registerShow(scan: Command): void {
  scan
    .command('show')
    .description('Show the images that a scan set aside or left out, and its most probable findings')
    .argument('<scan>', 'A scan, a loop (its last scan), or <loop>:<iteration>')
    .argument('[n]', 'Iteration of a loop; the last one if omitted', wholeNumber)
    .option('--top <n>', 'Number of findings to show', wholeNumberBetween(1, 1_000_000), TOP_FINDINGS)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, n: number | undefined, { top, json }: { top: number; json?: true }) =>
      show(n === undefined ? name : `${name}:${n}`, { top, json: json === true }),
    );
}

async function show(id: string, { top, json }: { top: number; json: boolean }): Promise<void> {
  const { store, env } = await openEnvironmentStore();
  const found = await findScan(store, id).catch(async (error: unknown) => {
    throw (await unfinished(env, id)) ?? error;
  });
  const pool = await openPool(store, found.pool);
  const index = await pool.readColumns(found.poolVersion, sizedRowSchema);
  const sizes = new Map(index.map((row) => [row.imageId, row]));
  const images = await readTable(store, found.images, scanImageRowSchema);
  const names = labelNames(pool.taxonomy);
  const findings = (await readTable(store, found.findings, findingRowSchema))
    .sort((a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1))
    .map((finding) => ({
      ...finding,
      areaPx: areaOf(finding, sizes.get(finding.imageId) ?? { width: 0, height: 0 }),
      class: findingClass(finding, names),
      suggestedClass:
        finding.suggestedClassId === null
          ? null
          : (names[finding.suggestedClassId] ?? String(finding.suggestedClassId)),
    }));
  const missing = await readMissing(store, found);
  const leftOut = leftOutOfScan(index, images, missing, found.counts?.split ?? 'train');
  const quarantined = images.filter((image) => image.quarantined);
  const { warnings } = await readJson(store, found.summary, summarySchema);
  const byKind = FINDING_KINDS.map((kind) => ({
    kind,
    findings: findings.filter((finding) => finding.kind === kind).length,
  })).filter((row) => row.findings > 0);
  const scanned = images.filter(({ error }) => error === null).length;
  const { certificate } = await certifyPool(store, pool, [found]);
  if (json)
    return printJson({
      certificate,
      ...{ scan: found.id, pool: found.pool, scanned, counts: found.counts, warnings, missing },
      ...{ leftOut, quarantined: quarantined.length, byKind, findings: findings.slice(0, top), images },
    });
  const text = found.counts === null ? `scanned ${counted(scanned, 'image', 'images')}` : countsText(found.counts);
  say(`${found.id}: ${text}`, ...warnings.map((warning) => `warning: ${warning}`));
  if (certificate !== null) say(...certificateTexts(certificate));
  tellLeftOut(leftOut);
  tellSetAside(quarantined);
  say(
    findings.length === 0
      ? 'no findings: no label is suspect'
      : `${counted(findings.length, 'finding', 'findings')}${findings.length > top ? `, of which the ${top} most probable:` : ':'}`,
  );
  printTable(byKind);
  printTable(
    findings.slice(0, top).map(({ fileName, kind, class: labelled, suggestedClass, areaPx, pWrong }) => ({
      image: fileName,
      finding: kind,
      class: labelled,
      suggested: suggestedClass,
      'picture pixels': areaPx,
      [PROBABILITIES.pWrong.label]: pWrong.toFixed(3),
    })),
  );
  say(`\`partloop scan export ${found.id} --out DIR\` writes everything, as tables or for an annotation tool.`);
}

/** The error for a scan that was started and has no result; null if no such scan is known. */
async function unfinished(env: StackEnvironment, id: string): Promise<PartloopError | null> {
  if (!nameSchema.safeParse(id).success) return null;
  const client = await connect(env);
  try {
    const found = await findScanWorkflow(client, id);
    if (found === null) return null;
    const isRunning = found.status === 'RUNNING';
    const far = isRunning
      ? `it runs (${await scanProgressLine(client, found.workflowId)})`
      : await endText(client, found);
    return new PartloopError('not-found', `scan \`${id}\` has no result yet: ${far}`, {
      hint: isRunning
        ? `\`partloop scan resume ${id} --wait\` waits for it.`
        : `\`partloop scan resume ${id}\` goes on with it.`,
    });
  } finally {
    await client.connection.close();
  }
}

async function endText(client: Client, found: ScanWorkflow): Promise<string> {
  const failure = await failureOfScan(client, found);
  if (failure !== null) return `it failed: ${failure.message}`;
  return endOf(found) === 'failed' ? 'it failed' : 'it was stopped';
}

/** Images that were not judged, by reason, with details of each if there are any. */
function tellLeftOut(leftOut: ReturnType<typeof leftOutOfScan>): void {
  const byReason = new Map<string, string[]>();
  for (const { reason, file_name, detail } of leftOut) {
    const named = detail === '' ? file_name : `${file_name} (${detail})`;
    if (!byReason.get(reason)?.push(named)) byReason.set(reason, [named]);
  }
  for (const [reason, named] of [...byReason].sort(([, a], [, b]) => b.length - a.length))
    say(`  ${named.length} left out, ${reason}: ${listed(named.toSorted())}`);
}

/** Images kept from training until somebody has looked, the most suspect first. */
function tellSetAside(images: readonly ScanImageRow[]): void {
  const named = images
    .toSorted((a, b) => b.pMislabelled - a.pMislabelled || (a.fileName < b.fileName ? -1 : 1))
    .map(
      ({ fileName, kinds, pMislabelled }) =>
        `${fileName}: ${kinds.length === 0 ? 'the label as a whole' : kinds.join(', ')}, ${(pMislabelled * 100).toFixed(0)} %`,
    );
  say(`${counted(named.length, 'image', 'images')} set aside until reviewed${named.length > 0 ? ':' : ''}`);
  for (const line of named.slice(0, NAMES_SHOWN)) say(`  ${line}`);
  if (named.length > NAMES_SHOWN) say(`  … and ${named.length - NAMES_SHOWN} more; --json lists all`);
}

const listed = (names: readonly string[]): string =>
  `${names.slice(0, NAMES_SHOWN).join(', ')}${names.length > NAMES_SHOWN ? ', …' : ''}`;
