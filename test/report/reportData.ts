import { loopConfigSchema } from '../../domain/config.js';
import { isOptional, STEPS } from '../../domain/steps.js';
import type { Trial } from '../../domain/tune/halving.js';
import type { Tuning } from '../../domain/tune/proposal.js';
import { newTrial } from '../../domain/tune/trials.js';
import type { Picture, ReportData, SliceQuality } from '../../report/data.js';
import { idOf } from '../domain/sample/rows.js';

const CLASSES = [
  'hood',
  'front_bumper',
  'windshield',
  'left_front_door',
  'right_front_door',
  'grille',
  'wheel',
  'left_mirror',
  'right_mirror',
  'license_plate',
  'left_indicator',
  'roof',
];

const trial = (number: number, lrHead: number, values: number[], error: string | null = null): Trial => ({
  ...newTrial(number, { lrHead, loss: number === 2 ? 'ce+dice' : 'ce' }),
  values,
  seconds: 90 * values.length,
  error,
});

const TUNING: Tuning = {
  version: 1,
  trials: [
    trial(0, 0.002, [0.31, 0.42, 0.51]),
    trial(1, 0.0012, [0.33]),
    trial(2, 0.0034, [0.35, 0.47, 0.53]),
    trial(3, 0.006, [], 'the loss is not a number any more'),
  ],
  rungs: [750, 1500, 3000],
  proposal: { iteration: 3, settings: { lrHead: 0.0034, loss: 'ce+dice' }, miou: 0.53, ownMiou: 0.51 },
  stopped: null,
};

/** A made-up report of three iterations, with every section filled. */
export function reportData(pictures: Picture[] = [], fields: Partial<ReportData> = {}): ReportData {
  const model = (n: number) => ({ scan: `m${n}`, card: `c${n}`, digest: idOf(n), loop: 'cars', iteration: n });
  const curve = [0.412, 0.497, 0.561].map((miou, index) => ({
    iteration: index + 1,
    drawn: 130,
    quarantined: 21 - index,
    sampled: 65,
    trainingSet: 65 * (index + 1),
    miou,
    majorMiou: miou + 0.06,
    minorMiou: miou - 0.12,
    boundaryIou: miou - 0.1,
    valMiou: miou + 0.02,
    benchmarkMiou: 0.487,
    controlMiou: null as number | null,
    overRandom: null as number | null,
    gate: index === 0 ? 'rejected' : index === 1 ? 'held' : 'promoted',
    seconds: 240 + index * 7,
  }));
  const tally = (name: string, chunk: number, sample: number, random: number) => ({ name, chunk, sample, random });
  return {
    loop: 'cars',
    iteration: 3,
    madeAt: '2026-11-23 09:00',
    trace: '0123456789abcdef0123456789abcdef',
    config: loopConfigSchema.parse({ pool: 'cars' }),
    board: null,
    curve,
    changes: {
      since: 2,
      lines: [
        { what: 'Settings', text: 'train.lrHead 0.0034, before 0.002; sample.budget 65, before not set' },
        { what: 'Pool', text: 'version 5, before 3; 620 images, before 600' },
        {
          what: 'Images',
          text: '130 images drawn, 19 set aside, 65 picked. The training set has 195 images, before 130',
        },
      ],
    },
    decision: {
      version: 1,
      gate: 'promoted',
      promoted: true,
      reasons: [
        'the gain of +0.0740 is above 0.0000 even at its lower bound (+0.0312)',
        'not enough data to judge: black and reflective',
      ],
      pendingApproval: false,
      testVersion: 'v1',
      candidate: model(3),
      benchmark: { ...model(9), iteration: null },
      candidateMiou: 0.561,
      benchmarkMiou: 0.487,
      gain: 0.074,
      lower: 0.0312,
      upper: 0.1154,
      detectable: 0.021,
      units: 156,
      images: 310,
      leftOut: [{ imageId: idOf(5), fileName: 'car-5.jpg', kind: 'gone', reason: 'there is no object images/5' }],
      look: 3,
      alpha: 0.0042,
      lostClasses: [],
      previousCandidate: { gain: 0.064, lower: 0.02, upper: 0.1 },
      slices: [
        {
          name: 'minor parts',
          outcome: 'pass',
          units: 156,
          candidate: 0.44,
          benchmark: 0.37,
          gain: 0.07,
          lower: 0.02,
          upper: 0.12,
          detectable: 0.03,
        },
        {
          name: 'boundary',
          outcome: 'pass',
          units: 156,
          candidate: 0.46,
          benchmark: 0.41,
          gain: 0.05,
          lower: 0.01,
          upper: 0.09,
          detectable: 0.02,
        },
        {
          name: 'zoomed',
          outcome: 'fail',
          units: 30,
          candidate: 0.31,
          benchmark: 0.41,
          gain: -0.1,
          lower: -0.15,
          upper: -0.05,
          detectable: 0.04,
        },
        {
          name: 'unseen vehicle types',
          outcome: 'not-enough-data',
          units: 0,
          candidate: 0,
          benchmark: 0,
          gain: 0,
          lower: 0,
          upper: 0,
          detectable: 0,
        },
      ],
    },
    classes: CLASSES.map((name, index) => ({
      name,
      group: index > 6 ? 'minor' : 'major',
      images: 90 - 5 * index,
      iou: index === 11 ? null : 0.85 - index * 0.06,
      recall: 0.9 - index * 0.05,
      benchmarkIou: index === 11 ? null : 0.78 - index * 0.05,
      calibration: index === 11 ? null : { error: 0.02 + index * 0.01, excess: 0.03 - index * 0.005 },
    })),
    calibration: { error: 0.041, excess: 0.036 },
    confusions: [
      { given: 'left_front_door', predicted: 'right_front_door', pixels: 81_200, share: 0.121, benchmarkShare: 0.164 },
      { given: 'wheel', predicted: 'background', pixels: 40_110, share: 0.083, benchmarkShare: 0.061 },
      { given: 'background', predicted: 'hood', pixels: 22_003, share: 0.002, benchmarkShare: 0.002 },
      { given: 'license_plate', predicted: 'front_bumper', pixels: 9_120, share: 0.31, benchmarkShare: null },
    ],
    slices: [0, 45, 90, 135, 180]
      .map(
        (angle, index): SliceQuality => ({
          tag: 'angle',
          value: String(angle),
          images: 30,
          miou: 0.6 - index * 0.03,
          benchmarkMiou: 0.52 - index * 0.01,
          bounds: null,
          change: 0.02 - index * 0.01,
        }),
      )
      .concat(
        ['false', 'true'].map((value, index) => ({
          tag: 'zoomed',
          value,
          images: 280 - 250 * index,
          miou: 0.58 - 0.27 * index,
          benchmarkMiou: 0.49 - 0.08 * index,
          bounds: index === 0 ? null : { lower: -0.15, upper: -0.05 },
          change: index === 0 ? 0.03 : null,
        })),
      )
      .concat(
        ['hatchback', 'truck'].map((value) => ({
          ...{ tag: 'vehicle', value, images: 26, miou: 0.6, benchmarkMiou: 0.55 },
          bounds: { lower: 0.01, upper: 0.09 },
          change: 0.02,
        })),
      ),
    worst: [
      {
        fileName: 'car-17.jpg',
        tags: 'angle 45, black, zoomed',
        miou: 0.12,
        mistake: 'left_front_door seen as right_front_door, 81 % of it',
      },
    ],
    leftOut: [
      {
        of: 'test',
        images: 1,
        why: '1 gone',
        first: [{ fileName: 'car-5.jpg', reason: 'there is no object images/5' }],
      },
    ],
    detection: {
      model: 'a1b2c3d4',
      scanned: 130,
      withFindings: 41,
      overThreshold: 22,
      quarantined: 19,
      unreadable: 1,
      quarantineAt: 0.5,
      estimatedWrong: 0.152,
      missing: 0,
      corrected: 12,
      asked: 50,
      correctable: 310,
      counts: 'scanned 129 of 600 images; not scanned: 40 test, 430 not drawn yet, 1 unreadable',
      slices: [
        { tag: 'zoomed', value: 'true', images: 20, overThreshold: 6, quarantined: 4 },
        { tag: 'black', value: 'false', images: 110, overThreshold: 13, quarantined: 13 },
      ],
      answers: [
        { kind: 'missing_part', answered: 20, wrong: 18, unsure: 1, precision: 0.9 },
        { kind: 'hole', answered: 4, wrong: 1, unsure: 0, precision: 0.25 },
      ],
      reliability: [{ from: 0.85, answered: 18, claimed: 0.91, observed: 0.94 }],
      audit: 12,
      certificate: {
        ...{ images: 128, drawn: 40, answered: 38, knownWrong: 3, settled: 6, atMost: 0.21 },
        wrongShare: { value: 0.13, low: 0.05, high: 0.23 },
        found: { value: 0.43, low: 0.26, high: 0.8 },
      },
      recall: {
        ...{ answered: 40, wrong: 9, wrongShare: { value: 0.14, low: 0.07, high: 0.26 } },
        ...{ found: { value: 0.78, low: 0.45, high: 0.94 }, setAside: { value: 0.61, low: 0.3, high: 0.85 } },
      },
      kinds: [
        { kind: 'missing_part', findings: 34, images: 21, quarantined: 14 },
        { kind: 'wrong_class', findings: 7, images: 6, quarantined: 3 },
        { kind: 'swapped', findings: 4, images: 2, quarantined: 2 },
      ],
      classes: [
        { name: 'wheel', findings: 9 },
        { name: 'left_mirror', findings: 6 },
      ],
    },
    sample: {
      interior: 2,
      comparison: {
        size: { chunk: 130, sample: 65, random: 65 },
        wrongShare: { chunk: 0.152, sample: 0.043, random: 0.148 },
        clusters: { chunk: 71, sample: 58, random: 44 },
        focuses: [{ name: 'black, reflective', chunk: 6, sample: 5, random: 3 }],
        tags: [
          {
            tag: 'angle',
            values: [
              tally('0', 52, 12, 26),
              tally('45', 12, 10, 6),
              tally('90', 40, 15, 21),
              tally('135', 14, 14, 6),
              tally('180', 12, 14, 6),
            ],
          },
          { tag: 'vehicle', values: [tally('sedan', 70, 20, 35), tally('suv', 30, 20, 15), tally('van', 30, 25, 15)] },
          { tag: 'black', values: [tally('false', 110, 45, 55), tally('true', 20, 20, 10)] },
        ],
        classes: CLASSES.map((name, index) => tally(name, 120 - 9 * index, 60 - 3 * index, 58 - 5 * index)),
      },
      reasons: [
        { why: 'random reserve', count: 13 },
        { why: 'angle 45 left: IoU 0.41, 0.8 % of the training set', count: 9 },
        { why: 'van, black: IoU 0.52, none of the training set', count: 7 },
      ],
      picks: pictures,
    },
    control: null,
    training: {
      size: { before: 130, after: 195 },
      joined: 67,
      left: 2,
      tags: [
        {
          tag: 'angle',
          values: [0, 45, 90, 135, 180].map((angle, index) => ({
            name: String(angle),
            before: 52 - 10 * index,
            after: 60 - 7 * index,
          })),
        },
        {
          tag: 'black',
          values: [
            { name: 'false', before: 115, after: 150 },
            { name: 'true', before: 15, after: 45 },
          ],
        },
      ],
    },
    findings: pictures,
    tuning: TUNING,
    costs: STEPS.filter((step) => !isOptional(step)).map((step, index) => ({
      step,
      seconds: [2.1, 71, 1.4, 130, 12, 9, 2][index] ?? 0,
      outcome: 'miss',
      work:
        [
          { count: 130, unit: 'images' as const },
          { count: 129, unit: 'images' as const },
          null,
          { count: 3000, unit: 'iterations' as const },
          { count: 310, unit: 'images' as const },
        ][index] ?? null,
      before: [2.4, 68, 1.2, 127, 12, 8, 2][index] ?? null,
    })),
    warnings: ['class `roof` has a validation IoU of 0.12 and yields no model-based finding'],
    ...fields,
  };
}
