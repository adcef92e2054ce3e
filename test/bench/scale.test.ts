import assert from 'node:assert/strict';
import { claimsOf, type ScaleFigures } from '../../bench/scale/figures.js';

const FIGURES: ScaleFigures = {
  asked: { rows: 1_000, iterations: 2, chunk: 400 },
  machine: { processor: 'none', cores: 2, memoryGb: 8, node: 'v20', packages: {}, commit: null },
  costs: [1, 2].map((iteration) => ({
    ...{ iteration, drawn: 400, trainingSet: 200 * iteration, steps: {}, scan: {} },
    ...{ seconds: 100, coreSeconds: 50 },
  })),
  runs: [{ workflowId: 'loop:scale', type: 'trainingLoop', events: 2_000, bytes: 1_000_000, largestPayload: 64_000 }],
  store: [],
  processes: {},
  drawn: { drawn: 800, different: 800 },
  copies: 0,
  left: 200,
};
const [RUN] = FIGURES.runs as [ScaleFigures['runs'][number]];

const broken = (changed: Partial<ScaleFigures>): string[] =>
  claimsOf({ ...FIGURES, ...changed }).flatMap(({ claim, holds }) => (holds ? [] : [claim]));

describe('the claims of the benchmark of whole iterations', () => {
  it('hold at their limits', () => assert.deepEqual(broken({}), []));

  for (const { claim, changed } of [
    { claim: 'events of the longest history', changed: { runs: [RUN, { ...RUN, events: 2_001 }] } },
    { claim: 'bytes of the largest history', changed: { runs: [RUN, { ...RUN, bytes: 1_000_001 }] } },
    { claim: 'bytes of the largest payload', changed: { runs: [RUN, { ...RUN, largestPayload: 64_001 }] } },
    { claim: 'images left to draw, without copies of test images', changed: { left: 199 } },
  ])
    it(`fail one by one: ${claim}`, () => assert.deepEqual(broken(changed), [claim]));

  it('expect no copy of a test image among those that were drawn', () => {
    assert.deepEqual(broken({ copies: 3, left: 197 }), []);
    const all = { asked: { rows: 800, iterations: 2, chunk: 400 }, drawn: { drawn: 797, different: 797 }, left: 0 };
    assert.deepEqual(broken({ ...all, copies: 3 }), []);
    assert.deepEqual(broken({ ...all, copies: 2 }), ['images drawn']);
  });

  it('fail if one iteration of several is slow', () => {
    const costs = FIGURES.costs.map((cost) => ({ ...cost, seconds: cost.iteration === 2 ? 1_729 : 1 }));
    assert.deepEqual(broken({ costs }), ['the slowest iteration, as a share of two days']);
  });

  it('fail if an image was drawn twice, or an iteration is missing', () => {
    assert.deepEqual(broken({ drawn: { drawn: 800, different: 799 } }), ['images drawn twice', 'images drawn']);
    assert.deepEqual(broken({ costs: FIGURES.costs.slice(1) }), ['iterations finished']);
  });
});
