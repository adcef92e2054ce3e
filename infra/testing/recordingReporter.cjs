/**
 * Mocha's usual report, which also appends to the file that `PARTLOOP_TEST_RECORD` names: how long each test file took,
 * hooks included, each test that failed and each that was skipped. A run that has ended but is kept alive by something
 * that a test left behind is ended with an error, instead of hanging. CommonJS, since every Node that we support can
 * load a reporter so.
 */
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Runner.constants;
/** Longer than a worker needs to drain. */
const LEFT_BEHIND_MS = Number(process.env.PARTLOOP_TEST_LEFT_BEHIND_MS ?? 60_000);

/** The messages of an error and of what caused it: the outermost may only say that something failed. */
function reasonsOf(error) {
  const reasons = [];
  for (let next = error; next != null && reasons.length < 5; next = next.cause)
    reasons.push(String(next.message ?? next));
  return reasons;
}

module.exports = class RecordingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const path = process.env.PARTLOOP_TEST_RECORD;
    const record = (line) => path !== undefined && appendFileSync(path, `${JSON.stringify(line)}\n`);
    let start = 0;
    const isOfFile = (suite) => suite.parent?.root === true && suite.file !== undefined;
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (isOfFile(suite)) start = performance.now();
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (isOfFile(suite)) record({ file: suite.file, seconds: (performance.now() - start) / 1000 });
    });
    runner.on(EVENT_TEST_FAIL, (test, error) =>
      record({
        failed: test.fullTitle(),
        why: reasonsOf(error).join(', since '),
        by: test.file ?? test.parent?.file,
      }),
    );
    runner.on(EVENT_TEST_PENDING, (test) => record({ skipped: test.fullTitle() }));
    runner.once(EVENT_RUN_END, () => {
      const endNow = () => {
        const held = [...new Set(process.getActiveResourcesInfo())].join(', ');
        const why = `the tests have ended, but something that they left behind keeps the process alive: ${held}`;
        record({ failed: 'the end of the run', why });
        process.stderr.write(`${why}\n`);
        // Mocha sets the code of its own count at the very end.
        process.on('exit', () => {
          process.exitCode = 1;
        });
        process.exit();
      };
      setTimeout(endNow, LEFT_BEHIND_MS).unref();
    });
  }
};
