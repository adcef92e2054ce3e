import { counted } from '../../base/counted.js';
import { percent } from '../../base/percent.js';
import type { Estimate } from '../auditAnswers.js';
import { CONFIDENCE } from '../confidence.js';
import type { Certificate } from './certificate.js';
import type { FurtherReviews } from './further.js';

/** The certificate for people, a sentence each: the bound, what it rests on, and what reviews found. */
export function certificateTexts(certificate: Certificate): string[] {
  const { images, drawn, answered, knownWrong, settled, atMost, wrongShare, found } = certificate;
  const open = drawn - answered;
  return [
    `At most ${percent(atMost)} of ${counted(images, 'label is', 'labels are')} wrong, with ${percent(CONFIDENCE)} ` +
      `confidence; the best estimate is ${interval(wrongShare)}.`,
    `It rests on answers to ${answered} of ${counted(drawn, 'image', 'images')} drawn at random` +
      (open === 0 ? '.' : `; the other ${open === 1 ? 'one counts' : `${open} count`} as wrong until answered.`),
    found === null
      ? 'Nobody has found a wrong label yet.'
      : `Reviews so far found ${interval(found)} of the labels that were wrong; ` +
        `${settled} are settled, and ${knownWrong} of the known ones are still wrong.`,
  ];
}

/** `About 120 more reviews …`, a sentence each. */
export function furtherTexts({ below, open, suspects, audit }: FurtherReviews): string[] {
  const wanted = percent(below);
  if (suspects === 0) return [`The bound is below ${wanted}.`];
  const answers =
    open === 0
      ? []
      : [`${counted(open, 'drawn image has', 'drawn images have')} no answer: these answers lower the bound most.`];
  const ways = [
    suspects === null
      ? null
      : `about ${counted(suspects, 'review of the most suspect label', 'reviews of the most suspect labels')}, corrected where wrong`,
    audit === null ? null : `an audit sample of about ${audit} images in the next scan`,
  ].filter((way) => way !== null);
  const bound =
    ways.length === 0
      ? `No number of reviews is expected to bring the bound below ${wanted}.`
      : `To bring the bound below ${wanted}: ${ways.join(', or ')}.`;
  return [...answers, bound];
}

const interval = ({ low, value, high }: Estimate): string => `${percent(value)} (${percent(low)} to ${percent(high)})`;
