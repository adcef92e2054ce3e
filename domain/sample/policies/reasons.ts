import { percent } from '../../base/percent.js';
import type { Cell } from '../cells.js';
import type { Focus } from '../focus.js';
import type { Offered, Trained } from './counts.js';
import type { Need, NeedImage } from './need.js';

// The reasons of picks in words. A semicolon ends the first reason, by which the report counts picks.

/** The numbers that reasons name. */
export interface Known {
  offered: Offered;
  trained: Trained;
  focuses: readonly Focus[];
  /** By label value. */
  classNames: readonly string[];
}

/** `focus × 3: black, reflective; …`: the focuses that an image matches, before the other reasons. */
export function withFocus(reason: string, { focuses: own }: Pick<NeedImage, 'focuses'>, { focuses }: Known): string {
  const told = own
    .flatMap((at) => focuses[at] ?? [])
    .sort((a, b) => b.factor - a.factor)
    .map(({ factor, words }) => `focus × ${factor}: ${words}`);
  return [...told, reason].join('; ');
}

/**
 * `angle 45 right: IoU 0.41, 0.8 % of the training set; rare: left_mirror in 1.2 % of images`: the neediest margin or
 * pair, with the mean label IoU of the candidates there, and the rarest parts.
 */
export function needReason({ cells, rareClasses }: Pick<Need, 'cells' | 'rareClasses'>, known: Known): string {
  const [neediest] = cells;
  const parts = [
    ...(neediest === undefined ? [] : [cellReason(neediest, known)]),
    ...(rareClasses.length === 0 ? [] : [rareReason(rareClasses, known)]),
  ];
  return parts.length > 0 ? parts.join('; ') : 'well covered';
}

function cellReason({ key, words }: Cell, { offered, trained }: Known): string {
  const there = offered.cells.get(key);
  const iou = there === undefined || there.judged === 0 ? [] : [`IoU ${(there.iouSum / there.judged).toFixed(2)}`];
  const share = shareText({ trained: trained.cells.get(key)?.images, offered: there?.images }, { offered, trained });
  return `${words}: ${[...iou, share].join(', ')}`;
}

function rareReason(labels: readonly number[], { offered, trained, classNames }: Known): string {
  const images = offered.images + trained.images;
  const told = labels.map((label) => {
    const having = (offered.labels.get(label) ?? 0) + (trained.labels.get(label) ?? 0);
    return `${classNames[label] ?? label} in ${percent(having / Math.max(1, images))}`;
  });
  return `rare: ${told.join(', ')} of images`;
}

/** A property of an image: a margin or pair of tags, or a labelled part; among all images or those of a focus. */
export type Property = ({ cell: Cell } | { label: number }) & { focus?: number };

/** `adds left_mirror (1.2 % of the training set); black (none of the training set)`. */
export function coverReason(properties: readonly Property[], known: Known): string {
  if (properties.length === 0) return 'well covered';
  return `adds ${properties.map((property) => propertyText(property, known)).join('; ')}`;
}

function propertyText(property: Property, { offered, trained, classNames }: Known): string {
  const [words, counts] =
    'cell' in property
      ? [
          property.cell.words,
          { trained: trained.cells.get(property.cell.key), offered: offered.cells.get(property.cell.key) },
        ]
      : [
          classNames[property.label] ?? String(property.label),
          {
            trained: { images: trained.labels.get(property.label) },
            offered: { images: offered.labels.get(property.label) },
          },
        ];
  const images = { trained: counts.trained?.images, offered: counts.offered?.images };
  return `${words} (${shareText(images, { offered, trained })})`;
}

/** How much of the training set has a property; before there is one, how many of the candidates have it. */
function shareText(
  images: { trained: number | undefined; offered: number | undefined },
  { offered, trained }: Pick<Known, 'offered' | 'trained'>,
): string {
  if (trained.images === 0) return `${percent((images.offered ?? 0) / Math.max(1, offered.images))} of the candidates`;
  if (images.trained === undefined) return 'none of the training set';
  return `${percent(images.trained / trained.images)} of the training set`;
}
