import { counted } from '../domain/base/counted.js';
import { groupRefusals } from '../pool/import/refusals.js';
import type { LabelImportReport } from '../pool/review/importLabels.js';
import type { VerdictImportReport } from '../pool/review/importVerdicts.js';
import type { Recorded } from '../pool/review/record.js';
import type { ReviewImportSummary } from '../pool/review/reviewImports.js';
import type { UndoReport } from '../pool/review/undoReview.js';
import { printTable, say } from './terminal/output.js';

const SHOWN = 20;

/** The result of an import of answers, for people. */
export function tellVerdicts(report: VerdictImportReport): void {
  const { pool, version, answered, unanswered, verdicts, revised, refused, notApplied } = report;
  say(
    `pool ${pool}, version ${version}: ${counted(answered, 'finding', 'findings')} answered, ${verdicts} of the answers new, ` +
      `${counted(revised, 'label', 'labels')} corrected`,
  );
  if (unanswered !== null) say(`${counted(unanswered, 'finding', 'findings')} of the scan without an answer`);
  list(refused.map(({ row, reason }) => `row ${row}: ${reason}`));
  list(notApplied.map(({ row, reason }) => `row ${row}, label not corrected: ${reason}`));
  tellUndoing(pool, report);
}

/** The result of an import of labels, for people. */
export function tellLabels(report: LabelImportReport): void {
  const { pool, version, exported, returned, changed, unchanged, known, verdicts, audits, loss } = report;
  const { empty, refused, missing, byLastPart, ambiguous, strangers, classesNotInFile } = report;
  const heldBack = empty.length > 0 ? `, ${empty.length} empty and held back` : '';
  say(
    `pool ${pool}, version ${version}: ${returned} of ${counted(exported, 'image', 'images')} came back: ${changed} corrected, ${known} known already, ` +
      `${unchanged} unchanged${heldBack}; ${counted(verdicts, 'new verdict', 'new verdicts')}, ` +
      `${counted(audits, 'image', 'images')} of the audit sample answered`,
  );
  if (empty.length > 0) {
    say(
      `${counted(empty.length, 'image', 'images')} came back without any shape although their labels had some: they are held back; --empty deleted takes them as corrections`,
    );
    list(empty.map(({ fileName, imageId }) => `empty ${fileName} (${imageId.slice(0, 12)})`));
  }
  if (classesNotInFile.length > 0)
    say(`regions of classes that the file does not list stay as they are: ${classesNotInFile.join(', ')}`);
  if (loss.holes > 0)
    say(
      `${counted(loss.holes, 'hole', 'holes')} (${counted(loss.holePixels, 'pixel', 'pixels')}) came back filled and stay open; --fill-holes takes them as corrections`,
    );
  if (loss.edgePixels > 0)
    say(`edges that polygons moved stay as they were (${counted(loss.edgePixels, 'pixel', 'pixels')})`);
  list(
    groupRefusals(refused).map(
      ({ reason, count, examples }) =>
        `refused ${count} × ${reason}: ${examples.join(', ')}${count > examples.length ? ', …' : ''}`,
    ),
  );
  if (byLastPart.length > 0) {
    say(`${counted(byLastPart.length, 'image was', 'images were')} found by the last part of a path alone: check them`);
    list(byLastPart.map(({ returned, fileName }) => `${returned} was taken for ${fileName}`));
  }
  list(
    ambiguous.map(({ returned, images }) => {
      const names = images.slice(0, 3).map(({ fileName }) => fileName);
      const more = images.length > names.length ? ', …' : '';
      return `refused ${returned}: the last part of its path matches ${counted(images.length, 'image', 'images')} of the export: ${names.join(', ')}${more}`;
    }),
  );
  list(missing.map(({ fileName, imageId }) => `missing ${fileName} (${imageId})`));
  list(strangers.map((name) => `not in this export: ${name}`));
  tellUndoing(pool, report);
}

/** The result of an undo, for people. */
export function tellUndo({ pool, review, repeats, version, restored, leftAlone }: UndoReport): void {
  say(
    `pool ${pool}, version ${version}: review ${review.id} of ${review.at} is undone: ${counted(restored, 'label is', 'labels are')} as before, ` +
      `${counted(review.verdicts, 'verdict', 'verdicts')} and ${counted(review.audits, 'audit answer', 'audit answers')} withdrawn`,
  );
  if (repeats.length > 0) say(`withdrawn with it, since they only repeat it: ${repeats.join(', ')}`);
  list(leftAlone.map(({ fileName, imageId, reason }) => `left alone ${fileName} (${imageId.slice(0, 12)}): ${reason}`));
}

/** Imports of reviews as a table. */
export function printImports(imports: readonly ReviewImportSummary[]): void {
  printTable(
    imports.map(({ id, at, reviewer, scan, exportId, labels, verdicts, audits, isRepeat, undoneAt }) => ({
      ...{ review: id, at: at.slice(0, 19), reviewer, scan, export: exportId, labels, verdicts, audits },
      ...{ repeat: isRepeat ? 'yes' : null, undone: undoneAt?.slice(0, 19) ?? null },
    })),
  );
}

function tellUndoing(pool: string, { review }: Recorded): void {
  if (review !== null) say(`To take this import back: partloop review undo ${pool} ${review}`);
}

function list(lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN)) say(`  ${line}`);
  if (lines.length > SHOWN) say(`  … and ${lines.length - SHOWN} more; --json lists all`);
}
