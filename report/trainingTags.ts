import { inferredIn } from '../domain/sample/inferredTags.js';
import type { TrainingRow } from '../domain/tables.js';
import { trainingRowSchema } from '../domain/tables.js';
import { compareTagValues, TAG_NAMES, type Tags, tagsSchema } from '../domain/tags.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { streamTable } from '../storage/tables/table.js';
import type { TrainingTags } from './data.js';

const rowSchema = trainingRowSchema.pick({ imageId: true, tagOrigins: true }).extend(tagsSchema.shape);
type Row = Pick<TrainingRow, 'imageId' | 'tagOrigins'> & Tags;
type Rows = AsyncIterable<Row> | Iterable<Row>;

/** Images by tag value in the training sets of the last iteration and of this one; each is read once, row by row. */
export const readTrainingTags = (
  store: ObjectStore,
  before: string | undefined,
  after: string,
): Promise<TrainingTags> =>
  trainingTags(before === undefined ? [] : streamTable(store, before, rowSchema), streamTable(store, after, rowSchema));

/** Tags without any value are left out; values that a scan inferred are counted by themselves. */
export async function trainingTags(before: Rows, after: Rows): Promise<TrainingTags> {
  const [then, now] = [await countTags(before), await countTags(after)];
  const tags = TAG_NAMES.filter((tag) => tag !== 'region').flatMap((tag) => {
    const both = new Map([...(then.tags.get(tag) ?? []), ...(now.tags.get(tag) ?? [])]);
    const values = [...both]
      .sort(([, a], [, b]) =>
        a.value === b.value ? Number(a.isInferred) - Number(b.isInferred) : compareTagValues(a.value, b.value),
      )
      .map(([name]) => ({
        name,
        before: then.tags.get(tag)?.get(name)?.images ?? 0,
        after: now.tags.get(tag)?.get(name)?.images ?? 0,
      }));
    return values.length === 0 ? [] : { tag, values };
  });
  let stayed = 0;
  for (const imageId of then.ids) if (now.ids.has(imageId)) stayed++;
  const size = { before: then.ids.size, after: now.ids.size };
  return { size, joined: size.after - stayed, left: size.before - stayed, tags };
}

/** Images of one value of a tag, by origin. */
interface Counted {
  value: NonNullable<Tags[keyof Tags]>;
  isInferred: boolean;
  images: number;
}

async function countTags(rows: Rows): Promise<{ ids: Set<string>; tags: Map<string, Map<string, Counted>> }> {
  const ids = new Set<string>();
  const tags = new Map<string, Map<string, Counted>>();
  for await (const row of rows) {
    ids.add(row.imageId);
    const inferred = inferredIn(row);
    for (const tag of TAG_NAMES) {
      const value = row[tag];
      if (value === null) continue;
      const isInferred = inferred.includes(tag);
      const name = isInferred ? `${value} (inferred)` : String(value);
      const counts = tags.get(tag) ?? new Map<string, Counted>();
      tags.set(tag, counts);
      const images = (counts.get(name)?.images ?? 0) + 1;
      counts.set(name, { value, isInferred, images });
    }
  }
  return { ids, tags };
}
