/**
 * Mocha's usual report, which also writes how long each test file took, hooks included, to the file that
 * `PARTLOOP_TEST_TIMES` names. CommonJS, since every Node that we support can load a reporter so.
 */
const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

const { EVENT_SUITE_BEGIN, EVENT_SUITE_END } = Runner.constants;

module.exports = class FileTimes extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const path = process.env.PARTLOOP_TEST_TIMES;
    if (path === undefined) return;
    let start = 0;
    const isOfFile = (suite) => suite.parent?.root === true && suite.file !== undefined;
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (isOfFile(suite)) start = performance.now();
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (!isOfFile(suite)) return;
      const seconds = (performance.now() - start) / 1000;
      appendFileSync(path, `${JSON.stringify({ file: suite.file, seconds })}\n`);
    });
  }
};
