import { cropTopLeft } from '../../geometry/resize.js';
import { encodeRle } from '../../geometry/rle.js';
import type { Tags } from '../../tags.js';
import { BACKGROUND, IGNORE_INDEX, type Taxonomy } from '../../taxonomy.js';
import { countBreaks, findRuleBreaks, ruleCandidate } from '../rules/rules.js';
import type {
  AnalysisInput,
  AnalysisOptions,
  Candidate,
  ImageAnalysis,
  ImageStatistics,
  InjectedCandidate,
} from '../types.js';
import { ANALYSIS_VERSION } from '../types.js';
import { cautiousTags, inferTags } from './inferTags.js';
import { injectErrors } from './inject.js';
import { findHoles, findMissing } from './missing.js';
import { type LabelView, type Picture, preparePicture, type RegionCandidate, viewLabel } from './picture.js';
import { ANALYSIS } from './thresholds.js';
import { findWholeLabel } from './wholeLabel.js';
import { findWrongClass } from './wrongClass.js';

/**
 * Everything that the scan needs about one label, given the prediction: candidates with features and proposed masks,
 * sums per class, statistics of the whole image. Linear in pixels; the result has no data per pixel.
 */
export function analyseImage(
  input: AnalysisInput,
  taxonomy: Taxonomy,
  tags: Tags,
  options: AnalysisOptions = {},
): ImageAnalysis {
  return analyse(input, taxonomy, tags, options, null);
}

/**
 * `analyseImage`, and the same measurements of copies of the label with injected errors, compared with the same
 * prediction; the calibration learns from these. `random` yields [0, 1) and decides the errors.
 */
export function analyseWithInjection(
  input: AnalysisInput,
  taxonomy: Taxonomy,
  tags: Tags,
  random: () => number,
  options: AnalysisOptions = {},
): ImageAnalysis {
  return analyse(input, taxonomy, tags, options, random);
}

function analyse(
  input: AnalysisInput,
  taxonomy: Taxonomy,
  tags: Tags,
  options: AnalysisOptions,
  random: (() => number) | null,
): ImageAnalysis {
  const picture = preparePicture(input, taxonomy, options);
  const { width, height } = picture;
  const view = viewLabel(picture, cropTopLeft(input.label, input.size, width, height));
  const inferredTags = inferTags(picture);
  const cautious = cautiousTags(picture, inferredTags);
  const known = withInferred(tags, cautious);
  const found = measure(view, known);
  const injected: ImageAnalysis['injected'] = [];
  for (let copy = 0; random !== null && copy < (options.copies ?? ANALYSIS.copies); copy++) {
    const injection = injectErrors(view, random);
    if (injection === null) break;
    const spoiled = viewLabel(picture, injection.label);
    const measured = measure(spoiled, known);
    injected.push({
      kind: injection.kind,
      whole: injection.whole,
      statistics: measured.statistics,
      candidates: measured.regions.map((region) => toInjected(region, spoiled, view, injection.inPlace)),
    });
  }
  return {
    version: ANALYSIS_VERSION,
    width,
    height,
    candidates: found.regions.map((region) => toCandidate(region, picture)),
    statistics: found.statistics,
    ...classSums(view),
    inferredTags,
    cautiousTags: cautious,
    injected,
  };
}

/** Given tags; of the missing ones, those that a prediction tells surely enough for rules. */
function withInferred(given: Tags, inferred: Partial<Tags>): Tags {
  return {
    ...given,
    orientation: given.orientation ?? inferred.orientation ?? null,
    zoomed: given.zoomed ?? inferred.zoomed ?? null,
  };
}

function measure(view: LabelView, tags: Tags): { regions: RegionCandidate[]; statistics: ImageStatistics } {
  const { picture, labelled } = view;
  const { predicted, minArea, pMask } = picture;
  const missing = findMissing(view);
  const holes = findHoles(view, missing.covered);
  const ruleBreaks = findRuleBreaks(view, tags);
  const wrongClass = findWrongClass(view, countBreaks(ruleBreaks));
  const regions = [
    ...findWholeLabel(view, missing.leftOut),
    ...missing.candidates,
    ...holes.candidates,
    ...wrongClass.candidates,
    ...ruleBreaks.map((broken) => ruleCandidate(view, broken)),
  ];
  const pixels = picture.width * picture.height;
  const seen = Math.max(minArea, pixels - (predicted.areas[BACKGROUND] as number));
  const given = Math.max(
    minArea,
    pixels - (labelled.areas[BACKGROUND] as number) - (labelled.areas[IGNORE_INDEX] as number),
  );
  const confidence = new Float64Array(256);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const value = predicted.values[pixel] as number;
    if (value !== BACKGROUND) confidence[value] = (confidence[value] as number) + (pMask[pixel] as number) / 255;
  }
  let absentParts = 0;
  for (let value = 1; value <= picture.taxonomy.classes.length; value++) {
    const area = predicted.areas[value] as number;
    if (area >= ANALYSIS.absentFrom * minArea && (labelled.areas[value] as number) < ANALYSIS.absentBelow * area)
      absentParts += (confidence[value] as number) / area;
  }
  return {
    regions,
    statistics: {
      unlabelledMass: Math.min(1, missing.mass / seen),
      holeMass: Math.min(1, holes.mass / seen),
      relabelledMass: Math.min(1, wrongClass.otherMass / given),
      extraMass: Math.min(1, wrongClass.extraMass / given),
      absentParts,
      agreement: view.car === 0 ? 1 : view.agreeing / view.car,
      clarity: picture.clarity,
    },
  };
}

function toCandidate(region: RegionCandidate, picture: Picture): Candidate {
  const wholeLabel = region.candidate.suggestedClassId === null && region.candidate.kind !== 'hole';
  return {
    ...region.candidate,
    proposal: wholeLabel ? null : encodeRle(region.inside, region.bounds, picture.width, picture.height),
  };
}

/**
 * A candidate of a spoiled label, and whether it lies on an injected error (`ANALYSIS.changed`, `ANALYSIS.samePart`).
 */
function toInjected(
  region: RegionCandidate,
  spoiled: LabelView,
  original: LabelView,
  inPlace: boolean,
): InjectedCandidate {
  const { width } = original.picture;
  const { components } = original.labelled;
  const { x0, y0, x1, y1 } = region.bounds;
  const perPart = new Map<number, number>();
  let area = 0;
  let changed = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const pixel = y * width + x;
      if (!region.inside(pixel)) continue;
      area++;
      if (spoiled.labelled.values[pixel] === original.labelled.values[pixel]) continue;
      changed++;
      const part = components.ids[pixel] as number;
      perPart.set(part, (perPart.get(part) ?? 0) + 1);
    }
  }
  const { counts: _, ...candidate } = region.candidate;
  const same = [...perPart].some(
    ([part, shared]) =>
      shared >= ANALYSIS.samePart * (area + (components.list[part]?.area ?? Number.POSITIVE_INFINITY) - shared),
  );
  return { candidate, wrong: area > 0 && changed >= ANALYSIS.changed * area && (same || !inPlace) };
}

function classSums(
  view: LabelView,
): Pick<ImageAnalysis, 'classCounts' | 'selfConfidence' | 'predictedClasses' | 'labelledClasses'> {
  const { predicted, pLabel, taxonomy, minArea } = view.picture;
  const { values, areas } = view.labelled;
  const both = new Int32Array(256);
  const seen = new Int32Array(256);
  const own = new Float64Array(256);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const given = values[pixel] as number;
    if (given === IGNORE_INDEX) continue;
    const sees = predicted.values[pixel] as number;
    seen[sees] = (seen[sees] as number) + 1;
    if (given === sees) both[given] = (both[given] as number) + 1;
    own[given] = (own[given] as number) + (pLabel[pixel] as number) / 255;
  }
  const sums = {
    classCounts: [] as number[],
    selfConfidence: [] as number[],
    predictedClasses: [] as number[],
    labelledClasses: [] as number[],
  };
  for (let value = 0; value <= taxonomy.classes.length; value++) {
    const given = areas[value] as number;
    if (given > 0) sums.selfConfidence.push(value, given, own[value] as number);
    if (value === BACKGROUND || (given === 0 && seen[value] === 0)) continue;
    sums.classCounts.push(value, both[value] as number, given + (seen[value] as number) - (both[value] as number));
    if ((seen[value] as number) >= minArea) sums.predictedClasses.push(value);
    if (given > 0) sums.labelledClasses.push(value);
  }
  return sums;
}
