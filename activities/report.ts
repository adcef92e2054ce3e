import { recorded } from '../domain/base/recorded.js';
import { loopConfigSchema } from '../domain/config.js';
import { type ReportResult, reportStep } from '../domain/report/step.js';
import { settingsOfPicks } from '../domain/sample/config.js';
import { type IterationContext, STEPS, type StepResults } from '../domain/steps.js';
import { gatherReport } from '../report/gather.js';
import { renderReport } from '../report/page.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { runStep } from '../steps/runStep.js';
import { readLoopState } from '../storage/loopState.js';

/** Step report: one HTML file a person can keep, mail and print. It opens no test image. */
export function createReportActivities(deps: ActivityDeps) {
  const { store } = deps;
  return {
    async report({ context, results }: { context: IterationContext; results: StepResults }): Promise<ReportResult> {
      const { iteration, loop } = context;
      // Where else an iteration is noted is no result: its report stays the same.
      const { tracking: _, policy: __, ...settings } = context.config;
      const config = { ...settings, sample: settingsOfPicks(settings.sample) };
      const { iterations } = await readLoopState(store, loop);
      const earlier = iterations
        .filter((entry) => entry.iteration < iteration && entry.current.status === 'finished')
        .map((entry) => ({ iteration: entry.iteration, config: entry.current.config, results: entry.current.results }));
      // Read as the earlier ones were from their record: an iteration may have begun before a setting came to be.
      const own = { iteration, config: recorded(loopConfigSchema).parse(context.config), results };
      const history = [...earlier, own];
      const inputs = {
        steps: history.map((entry) => [
          entry.iteration,
          ...STEPS.flatMap((step) =>
            step === 'control' ? [] : [step === 'report' ? null : (entry.results[step]?.digest ?? null)],
          ),
          // At the end, and only if there is one: without it a report is found as before.
          ...(entry.results.control === undefined ? [] : [entry.results.control.digest]),
        ]),
        config,
      };
      return withHeartbeat((beat) =>
        runStep(store, context, reportStep, inputs, async (attempt) => {
          const outputs = { report: attempt.key('index.html') };
          const page = renderReport(await gatherReport(deps, context, history, beat));
          await attempt.store.put(outputs.report, page, 'text/html; charset=utf-8');
          return { outputs, facts: {} };
        }),
      );
    },
  };
}
