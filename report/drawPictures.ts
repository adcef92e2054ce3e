import { parseText } from '../domain/base/jsonText.js';
import { proposalSchema } from '../domain/review/correction.js';
import { findingClass } from '../domain/scan/findingClass.js';
import type { ChunkRow, FindingRow, SampleRow } from '../domain/tables.js';
import { labelNames, type Taxonomy } from '../domain/taxonomy.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, throwIfCancelled } from '../steps/heartbeat.js';
import { readImage, readLabel } from '../storage/pictures/imageSource.js';
import { decodeLabel } from '../storage/pictures/labelMask.js';
import type { Picture } from './data.js';
import { type Overlay, overlayPicture, PICTURE_SIDE } from './overlay.js';

/** The text beside a picture. */
type Caption = Omit<Picture, 'src' | 'width' | 'height' | 'fileName'>;

/** The pictures to draw, in order, with the rows of their images. */
export interface ToDraw {
  rows: ReadonlyMap<string, ChunkRow>;
  taxonomy: Taxonomy;
  picks: readonly SampleRow[];
  findings: readonly FindingRow[];
}

/** The pictures of picks and findings, drawn one by one. */
export async function drawPictures(
  deps: Pick<ActivityDeps, 'store' | 'log'>,
  { rows, taxonomy, picks, findings }: ToDraw,
  beat: Heartbeat,
): Promise<{ picks: Picture[]; findings: Picture[] }> {
  const total = picks.length + findings.length;
  const drawn: { picks: Picture[]; findings: Picture[] } = { picks: [], findings: [] };
  const next = async (imageId: string, caption: Caption, overlay: Omit<Overlay, 'label'>): Promise<Picture> => {
    throwIfCancelled(beat.signal);
    const done = drawn.picks.length + drawn.findings.length;
    beat.report({ phase: 'drawing pictures', done, total, unit: 'pictures' });
    return drawPicture(deps, rows.get(imageId), caption, overlay);
  };
  for (const { imageId, why, probability } of picks) {
    const caption = { title: why, detail: `probability ${probability.toFixed(2)}`, score: null };
    drawn.picks.push(await next(imageId, caption, { proposal: null, box: null, outlined: null }));
  }
  for (const finding of findings)
    drawn.findings.push(await next(finding.imageId, findingText(finding, taxonomy), findingOverlay(finding)));
  return drawn;
}

/** An unreadable picture is shown as unreadable: a report never fails for one image. */
async function drawPicture(
  { store, log }: Pick<ActivityDeps, 'store' | 'log'>,
  row: ChunkRow | undefined,
  caption: Caption,
  overlay: Omit<Overlay, 'label'>,
): Promise<Picture> {
  const empty = {
    ...caption,
    fileName: row?.fileName ?? '',
    src: null,
    width: PICTURE_SIDE,
    height: Math.round(PICTURE_SIDE * 0.75),
  };
  if (row === undefined || row.split === 'test') return empty;
  try {
    const label = await decodeLabel(await readLabel(store, row), row.fileName);
    return { ...empty, ...(await overlayPicture(await readImage(store, row), { ...overlay, label })) };
  } catch (error) {
    log.warn({ error, file: row.fileName }, 'cannot make a picture of the report');
    return empty;
  }
}

function findingText(finding: FindingRow, taxonomy: Taxonomy): { title: string; detail: string; score: number } {
  const names = labelNames(taxonomy);
  const { kind, classId, suggestedClassId, pWrong } = finding;
  const given = findingClass(finding, names);
  const suggested =
    suggestedClassId === null || suggestedClassId === classId
      ? ''
      : ` → ${names[suggestedClassId] ?? suggestedClassId}`;
  return {
    title: kind.replaceAll('_', ' '),
    detail: `${given}${suggested}, ${Math.round(100 * pWrong)} %`,
    score: pWrong,
  };
}

/** What is drawn over the picture of a finding. */
export function findingOverlay({ findingId, proposal, x0, y0, x1, y1 }: FindingRow): Omit<Overlay, 'label'> {
  const parsed = proposal === null ? null : proposalSchema.safeParse(parseText(proposal, `finding ${findingId}`));
  return { proposal: parsed?.success ? parsed.data : null, box: { x0, y0, x1, y1 }, outlined: null };
}
