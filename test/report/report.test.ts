import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import sharp from 'sharp';
import type { EvaluationRow } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import { confusedPairs } from '../../report/confusions.js';
import type { ReportData } from '../../report/data.js';
import { drawOverlay, overlayPicture, PICTURE_SIDE } from '../../report/overlay.js';
import { renderReport } from '../../report/page.js';
import { spread } from '../../report/parts/charts.js';
import { classTable, sliceTable, suspicionByTag, wholeSetMiou, worstImages } from '../../report/tables.js';
import { trainingTags } from '../../report/trainingTags.js';
import { chunkRow, idOf, scanRow, TAXONOMY } from '../domain/sample/rows.js';
import { reportData } from './reportData.js';

const evaluation = (n: number, confusion: number[], fields: Partial<EvaluationRow> = {}): EvaluationRow => ({
  imageId: idOf(n),
  fileName: `car-${n}.jpg`,
  vehicleId: null,
  ...NO_TAGS,
  confusion,
  boundary: [],
  imageMiou: 0.5,
  calibration: null,
  ...fields,
});

describe('a report', () => {
  it('is one file without scripts or anything from outside', () => {
    const html = renderReport(reportData());
    const outside = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !target.startsWith('#') && !target.startsWith('data:'));
    assert.deepEqual(outside, []);
    assert.ok(!/<script|@import|url\(http/.test(html));
  });

  it('leads to the board where its address is known, and says that a board has to run', () => {
    const html = renderReport(reportData([], { board: 'http://127.0.0.1:8236' }));
    assert.match(html, /<code>partloop board cars:3<\/code> opens these findings/);
    assert.match(html, /While a board runs at .*<a href="http:\/\/127\.0\.0\.1:8236\/review\/cars:3">/);
  });

  it('has every section, with a target for every link', () => {
    const { document } = parseHTML(renderReport(reportData())) as unknown as {
      document: {
        querySelectorAll(selector: string): Iterable<{ getAttribute(name: string): string | null }>;
        querySelector(selector: string): { textContent: string } | null;
      };
    };
    for (const link of document.querySelectorAll('nav a'))
      assert.ok(document.querySelector(link.getAttribute('href') ?? ''), `${link.getAttribute('href')} is missing`);
    assert.match(document.querySelector('#verdict')?.textContent ?? '', /promoted.*0\.561/s);
    assert.match(document.querySelector('#gate')?.textContent ?? '', /minor parts/);
    const detection = document.querySelector('#detection')?.textContent ?? '';
    assert.match(detection, /hole4125 %0/);
    assert.match(detection, /85 %1891 %94 %/);
    assert.match(detection, /zoomed true20630/);
    assert.match(
      detection,
      /40 answered images.*9 were wrong.*14 % \(95 % interval 7 % to 26 %\).*reported 78 %.*set 61 %/s,
    );
    assert.ok(document.querySelector('#curve svg'));
    const tuning = document.querySelector('#tuning')?.textContent ?? '';
    assert.match(tuning, /lrHead 0\.0034, loss ce\+dice reach 0\.530, \+0\.020/);
    assert.match(tuning, /20\.3500\.4700\.530.*all rungs/);
    assert.match(tuning, /the loss is not a number any more/);
  });

  it('tells what changed, what is confused, who is trained on, and what each step costs', () => {
    const { document } = parseHTML(renderReport(reportData())) as unknown as {
      document: { querySelector(selector: string): { textContent: string } | null };
    };
    const text = (id: string): string => document.querySelector(id)?.textContent ?? '';
    assert.match(text('#changes'), /Changes since iteration 2.*Poolversion 5, before 3; 620 images/s);
    assert.match(text('#gate'), /all, against the last iteration–0\.561.*\+0\.064\+0\.020\+0\.100/s);
    assert.match(text('#classes'), /left_front_doorright_front_door81,20012\.1 %16\.4 %−4\.3/);
    assert.match(text('#classes'), /license_platefront_bumper9,12031\.0 %––/);
    assert.match(text('#classes'), /true300\.3100\.410−0\.100−0\.150 … −0\.050–/);
    assert.match(text('#sample'), /true4511\.5 %23\.1 %\+11\.5/);
    assert.match(text('#run'), /scan71 s31 %68 s129 images1\.82 images\/s/);
    assert.match(text('#run'), /train2\.2 min57 %2\.1 min3,000 iterations23 iterations\/s/);
  });

  it('escapes text from outside', () => {
    const html = renderReport(
      reportData([
        {
          title: 'missing part',
          detail: 'hood',
          fileName: '<img src=x onerror=alert(1)>.jpg',
          score: 0.9,
          src: null,
          width: 320,
          height: 240,
        },
      ]),
    );
    assert.ok(!html.includes('<img src=x'));
    const hostile = '<script>alert(1)</script>';
    const named = renderReport(
      reportData([], {
        changes: { since: 2, lines: [{ what: 'Settings', text: hostile }] },
        confusions: [{ given: hostile, predicted: hostile, pixels: 3, share: 0.5, benchmarkShare: null }],
        training: { size: { before: 1, after: 1 }, joined: 0, left: 0, tags: [{ tag: hostile, values: [] }] },
      }),
    );
    assert.ok(!named.includes('<script'));
  });

  it('is whole for a first iteration without benchmark and tags', () => {
    const full = reportData();
    const decision = {
      ...full.decision,
      gate: 'first' as const,
      benchmark: null,
      benchmarkMiou: null,
      gain: null,
      lower: null,
      upper: null,
      detectable: null,
      look: null,
      alpha: null,
      slices: [],
      previousCandidate: null,
    };
    const curve = full.curve
      .slice(0, 1)
      .map((point) => ({ ...point, benchmarkMiou: null, gate: 'first', minorMiou: null }));
    const html = renderReport(
      reportData([], {
        iteration: 1,
        decision,
        curve,
        changes: null,
        confusions: [],
        calibration: null,
        training: { ...full.training, size: { before: 0, after: 195 } },
        costs: full.costs.map((cost) => ({ ...cost, before: null, seconds: 0 })),
        slices: [],
        worst: [],
        tuning: null,
        classes: full.classes.map((entry) => ({ ...entry, benchmarkIou: null })),
        sample: { ...full.sample, comparison: { ...full.sample.comparison, tags: [] } },
      }),
    );
    assert.match(html, /first benchmark/);
    assert.ok(!html.includes('id="tuning"') && !html.includes('id="changes"'));
    assert.ok(!/NaN|undefined/.test(html));
  });
});

describe('the control in a report', () => {
  const compared = {
    ...{ gain: 0.0213, lower: 0.004, upper: 0.0391, alpha: 0.05, miou: 0.561, controlMiou: 0.5397 },
    ...{ units: 150, images: 200, trainedOn: 195, controlTrainedOn: 190 },
  };
  const shown = (control: ReportData['control'], points: Partial<ReportData['curve'][number]> = {}) => {
    const { curve, costs } = reportData();
    const cost = { step: 'control' as const, seconds: 150, outcome: 'miss', work: null, before: null };
    const last = curve.map((point, at) => (at === curve.length - 1 ? { ...point, ...points } : point));
    return renderReport(reportData([], { control, curve: last, costs: [...costs, cost] }));
  };
  const text = (html: string): string => html.replace(/<[^>]*>/g, '');

  it('says the gain over random in points with its interval, what differs, and what it cost', () => {
    const unlike = ['trained on 190 images instead of 195'];
    const html = shown({ version: 1, compared, why: null, unlike }, { controlMiou: 0.5397, overRandom: 0.0213 });
    assert.match(text(html), /Gain over random: \+2\.1 points \[\+0\.4, \+3\.9\], mIoU 0\.561 against 0\.540/);
    assert.match(text(html), /150 units, 90 % interval/);
    assert.match(text(html), /differs otherwise: trained on 190 images instead of 195\./);
    assert.match(text(html), /a second training and one more evaluation per iteration: here 2\.5 min/);
    assert.match(html, /href="#control"/);
    assert.match(html, />random images</);
    assert.match(text(html), /0\.540\+0\.021/);
  });

  it('is why there is none if it failed', () => {
    const html = shown({ version: 1, compared: null, why: 'the loss is not finite', unlike: [] });
    assert.match(text(html), /There is no control for this iteration: the loss is not finite\./);
    assert.ok(!html.includes('Over random'));
  });

  it('is not mentioned if nobody asked for one', () => {
    assert.doesNotMatch(renderReport(reportData()), /#control|id="control"|Over random|>random images</);
  });
});

describe('the tables of a report', () => {
  const rows = [
    evaluation(1, [1, 1, 80, 1, 2, 20, 0, 0, 100], { angle: 0, imageMiou: 0.7 }),
    evaluation(2, [2, 2, 50, 2, 0, 50, 0, 2, 10], { angle: 90, imageMiou: 0.4 }),
  ];

  it('compute IoU from sums over the whole set, and leave out classes without ground truth', () => {
    const [hood, door, mirror] = classTable(rows, null, TAXONOMY);
    assert.equal(hood?.iou, 0.8);
    assert.equal(door?.iou, 50 / (100 + 80 - 50));
    assert.equal(mirror?.iou, null);
    assert.equal(wholeSetMiou(rows), (0.8 + 50 / 130) / 2);
  });

  it('have the calibration of each class, if all images were counted with probabilities', () => {
    const counted = rows.map((row, index) => ({ ...row, calibration: [1, 8, 4, 4 * 204, 2 + index] }));
    const [hood, door] = classTable(counted, null, TAXONOMY);
    assert.ok(Math.abs((hood?.calibration?.error ?? 0) - (0.8 - 5 / 8)) < 1e-12);
    assert.equal(door?.calibration, null);
    assert.equal(classTable([...counted, evaluation(3, [1, 1, 5])], null, TAXONOMY)[0]?.calibration, null);
  });

  it('name the largest mistake of the worst images', () => {
    const [worst] = worstImages(rows, TAXONOMY, 1);
    assert.equal(worst?.fileName, 'car-2.jpg');
    assert.equal(worst?.mistake, 'door missed, 50 % of it');
  });

  it('name the confusions with the most pixels, with their share of the given class', () => {
    const benchmark = [evaluation(1, [1, 1, 90, 1, 2, 10])];
    assert.deepEqual(confusedPairs(rows, benchmark, TAXONOMY, 2), [
      { given: 'door', predicted: 'background', pixels: 50, share: 0.5, benchmarkShare: null },
      { given: 'hood', predicted: 'door', pixels: 20, share: 0.2, benchmarkShare: 0.1 },
    ]);
    assert.deepEqual(confusedPairs([], null, TAXONOMY, 2), []);
  });

  it('tell the change of a slice on the images that both candidates were judged on, and the bounds of the gate', () => {
    const zoomed = (n: number, right: number) => evaluation(n, [1, 1, right, 1, 0, 100 - right], { zoomed: n > 1 });
    const now = [zoomed(1, 80), zoomed(2, 60), zoomed(3, 10)];
    const before = [zoomed(1, 70), zoomed(2, 70)];
    const judged = reportData().decision.slices.filter(({ name }) => name === 'zoomed');
    const [no, yes] = sliceTable(now, null, before, judged);
    assert.ok(Math.abs((no?.change ?? 0) - 0.1) < 1e-9 && Math.abs((yes?.change ?? 0) + 0.1) < 1e-9);
    assert.deepEqual([no?.bounds, yes?.bounds], [null, { lower: -0.15, upper: -0.05 }]);
    assert.equal(sliceTable(now, null)[0]?.change, null);
  });

  it('count the training set by tag before and after, and who came and left', async () => {
    const row = (n: number, black: boolean | null, tagOrigins = '{}') => {
      return { imageId: idOf(n), ...NO_TAGS, black, tagOrigins };
    };
    const found = await trainingTags(
      [row(1, true), row(2, false)],
      [row(2, false), row(3, true), row(4, null), row(5, true, '{"black":"inferred"}')],
    );
    assert.deepEqual(found, {
      size: { before: 2, after: 4 },
      joined: 3,
      left: 1,
      tags: [
        {
          tag: 'black',
          values: [
            { name: 'false', before: 1, after: 1 },
            { name: 'true', before: 1, after: 1 },
            { name: 'true (inferred)', before: 0, after: 1 },
          ],
        },
      ],
    });
  });

  it('slice by tags that have at least two values', () => {
    assert.deepEqual(
      sliceTable(rows, null).map((slice) => [slice.tag, slice.value, slice.images]),
      [
        ['angle', '0', 1],
        ['angle', '90', 1],
      ],
    );
  });
});

describe('pictures with overlay', () => {
  it('tint the proposed region column by column and outline the given label', async () => {
    const label = { pixels: Uint8Array.from({ length: 64 }, (_, at) => (at % 8 < 4 ? 1 : 0)), width: 8, height: 8 };
    const rgba = drawOverlay(
      { label, proposal: { size: [8, 8], counts: [48, 16] }, box: null, outlined: null },
      64,
      64,
    );
    const alphaAt = (x: number, y: number) => rgba[(y * 64 + x) * 4 + 3] ?? 0;
    assert.equal(alphaAt(10, 30), 0);
    assert.ok(alphaAt(31, 30) > 200);
    assert.ok(alphaAt(60, 30) > 0);
  });

  it('are small WebP files that keep the shape of the picture', async () => {
    const bytes = await sharp({ create: { width: 1_000, height: 500, channels: 3, background: '#335577' } })
      .jpeg()
      .toBuffer();
    const picture = await overlayPicture(bytes, {
      label: null,
      proposal: null,
      box: { x0: 0.1, y0: 0.1, x1: 0.5, y1: 0.5 },
      outlined: null,
    });
    assert.deepEqual([picture.width, picture.height], [PICTURE_SIDE, PICTURE_SIDE / 2]);
    assert.match(picture.src, /^data:image\/webp;base64,/);
    assert.ok(picture.src.length < 20_000);
  });
});

describe('labels at the end of lines', () => {
  it('are pushed apart no farther than necessary, and keep their order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }), (values) => {
        const places = spread(values, 0.05);
        const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
        const sorted = order.map((index) => places[index] ?? 0);
        for (const [rank, place] of sorted.entries())
          if (rank > 0) assert.ok(place - (sorted[rank - 1] ?? 0) >= 0.05 - 1e-6);
        const apart = order.every(
          (index, rank) => rank === 0 || (values[index] ?? 0) - (values[order[rank - 1] ?? 0] ?? 0) >= 0.05,
        );
        if (apart) assert.deepEqual(places, values);
      }),
    );
  });
});

describe('the table of suspicion by tag', () => {
  it('counts images over the threshold per tag value, and leaves out values with a handful of images', () => {
    const zoomed = (n: number): boolean => n < 12;
    const rows = Array.from({ length: 40 }, (_, n) => chunkRow(n, { zoomed: zoomed(n), angle: n === 0 ? 90 : 0 }));
    const scanned = rows.map((_, n) => scanRow(n, { pMislabelled: n < 6 ? 0.9 : 0.1, quarantined: n < 4 }));
    const table = suspicionByTag(scanned, new Map(rows.map((row) => [row.imageId, row])), 0.5);
    assert.deepEqual(table, [
      { tag: 'zoomed', value: 'true', images: 12, overThreshold: 6, quarantined: 4 },
      { tag: 'angle', value: '0', images: 39, overThreshold: 5, quarantined: 3 },
      { tag: 'zoomed', value: 'false', images: 28, overThreshold: 0, quarantined: 0 },
    ]);
  });
});
