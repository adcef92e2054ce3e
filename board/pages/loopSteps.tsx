import type { Progress } from '../../domain/progress.js';
import { progressText } from '../../domain/progress.js';
import { shownFacts } from '../../domain/shownFacts.js';
import { STEPS, type Step, type StepResults } from '../../domain/steps.js';
import { duration } from '../../report/parts/format.js';

const OUTCOMES: Readonly<Record<string, string>> = { hit: 'found done', miss: 'done', forced: 'done again' };

interface StepsOf {
  /** Distinguishes the tables of a page. */
  id: string;
  results: StepResults;
  /** The step under way, with what its last heartbeat says. */
  current?: { step: Step; held: boolean; activity: Progress | null } | null;
}

/** What each step did, in order, and what the one under way is at. */
export function Steps({ id, results, current = null }: StepsOf) {
  return (
    <table class="steps">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Outcome</th>
          <th scope="col" class="n">
            Time
          </th>
          <th scope="col">What it found</th>
        </tr>
      </thead>
      <tbody>
        {STEPS.map((step) => {
          const result = results[step];
          if (result === undefined) return current?.step === step && <Current {...current} />;
          const facts = shownFacts(step, result).map(({ label, value }) => `${label}: ${value}`);
          return (
            <tr>
              <td>{step}</td>
              <td>{OUTCOMES[result.outcome] ?? result.outcome}</td>
              <td class="n">{duration(result.seconds)}</td>
              <td>{facts.length > 0 && <Facts id={`${id}-${step}`} facts={facts} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Facts({ id, facts }: { id: string; facts: readonly string[] }) {
  return (
    <details id={id}>
      <summary>{facts.slice(0, 3).join(' · ')}</summary>
      <ul>
        {facts.slice(3).map((fact) => (
          <li>{fact}</li>
        ))}
      </ul>
    </details>
  );
}

function Current({ step, held, activity }: NonNullable<StepsOf['current']>) {
  return (
    <tr aria-current="step">
      <td>{step}</td>
      <td>{held ? 'waits' : 'under way'}</td>
      <td />
      <td>
        {activity !== null && (
          <>
            <progress value={activity.done} max={Math.max(activity.done, activity.total, 1)} aria-label={step} />{' '}
            {progressText(activity)}
          </>
        )}
      </td>
    </tr>
  );
}
