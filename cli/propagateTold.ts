import { counted } from '../domain/base/counted.js';
import type { Asked } from '../pool/review/propagate/ask.js';
import type { PropagateReport } from '../pool/review/propagate/propagate.js';
import { printTable, say } from './terminal/output.js';

const SHOWN = 20;

/** A draw of findings for reviewers, for people. */
export function tellAsked({ round, isEarlier, findings, proposals }: Asked, file: string): void {
  const { scan, number, pool, alpha } = round;
  const asked = counted(findings.length, 'finding', 'findings');
  if (isEarlier) say(`scan ${scan}: round ${number} still has ${asked} without an answer; nothing new was drawn`);
  else say(`scan ${scan}, round ${number}: ${asked} drawn; up to ${proposals} others may be corrected by the answers`);
  say(
    `Fill in the column \`verdict\` of ${file}: accept only if the proposed mask is right. Answer all of them: whatever`,
    `stays without an answer counts as a harmful correction, as do wrong, right and unsure. Then:`,
    `  partloop review import ${file} --scan ${scan}`,
    `  partloop review propagate ${pool} --scan ${scan}   (at most ${percent(alpha)} of the corrections harmful)`,
  );
}

/** What follows from the answers, for people. */
export function tellPropagation(report: PropagateReport): void {
  const { pool, scan, round, groups, corrections, review, version, revised, notApplied } = report;
  if (round === null) {
    say(
      `scan ${scan}: no findings were drawn for reviewers yet, so nothing is known of how often its proposals are right.`,
      `Draw some: partloop review propagate ${pool} --scan ${scan} --ask 50 --out answers.csv`,
    );
    return;
  }
  const { number, alpha, confidence } = round;
  say(
    `scan ${scan}, round ${number}: ${report.answered} of ${counted(report.asked, 'drawn finding', 'drawn findings')} answered, ` +
      `${report.accepted} accepted; ${counted(report.proposals, 'other proposal', 'other proposals')}`,
  );
  if (corrections === 0) {
    say(`Nothing follows: ${reasonOf(report)}`);
    return;
  }
  printTable(
    groups.map(({ expectedHarmful, ...group }) => ({ ...group, 'expected harmful': expectedHarmful.toFixed(1) })),
  );
  say(
    `${counted(corrections, 'correction', 'corrections')}, at most ${percent(alpha)} of them harmful, with ${percent(confidence)} confidence`,
  );
  if (review === null) {
    say(`Nothing was changed. To correct these labels: partloop review propagate ${pool} --scan ${scan} --apply`);
    return;
  }
  say(`pool ${pool}, version ${version}: ${counted(revised, 'label', 'labels')} corrected now`);
  for (const { fileName, reason } of notApplied.slice(0, SHOWN)) say(`  ${fileName} not corrected: ${reason}`);
  if (notApplied.length > SHOWN) say(`  … and ${notApplied.length - SHOWN} more; --json lists all`);
  say(`To take these corrections back: partloop review undo ${pool} ${review}`);
}

function reasonOf({ reason, openQuestions, answersNeeded, round }: PropagateReport): string {
  const more =
    answersNeeded === null
      ? 'no number of answers would do: there are too few proposals.'
      : `a new draw needs at least ${counted(answersNeeded, 'answer', 'answers')}, all accepted; --ask draws.`;
  if (reason === 'too few answers')
    return `${counted(openQuestions, 'drawn finding is', 'drawn findings are')} without an answer, which counts as harmful.`;
  if (reason === 'too many dropped out')
    return 'too many of the proposals were answered or redrawn since the draw, so the bound no longer holds for the rest; --ask draws anew.';
  if (reason === 'nothing left') return 'all proposals of the set are settled.';
  return `too few of the answers are \`accept\` for at most ${percent(round?.alpha ?? 0)} harmful; ${more}`;
}

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
