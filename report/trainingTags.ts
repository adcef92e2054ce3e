import type { TrainingRow } from '../domain/tables.js';
import { trainingRowSchema } from '../domain/tables.js';
import { compareTagValues, TAG_NAMES, type Tags, tagsSchema } from '../domain/tags.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { streamTable } from '../storage/tables/table.js';
import type { TrainingTags } from './data.js';

const rowSchema = trainingRowSchema.pick({ imageId: true }).extend(tagsSchema.shape);
type Row = Pick<TrainingRow, 'imageId'> & Tags;
type Rows = AsyncIterable<Row> | Iterable<Row>;

/** Images by tag value in the training sets of the last iteration and of this one; each is read once, row by row. */
export const readTrainingTags = (
  store: ObjectStore,
  before: string | undefined,
  after: string,
): Promise<TrainingTags> =>
  trainingTags(before === undefined ? [] : streamTable(store, before, rowSchema), streamTable(store, after, rowSchema));

/** Tags without any value are left out. */
export async function trainingTags(before: Rows, after: Rows): Promise<TrainingTags> {
  const [then, now] = [await countTags(before), await countTags(after)];
  const tags = TAG_NAMES.filter((tag) => tag !== 'region').flatMap((tag) => {
    const values = [...new Set([...(then.tags.get(tag)?.keys() ?? []), ...(now.tags.get(tag)?.keys() ?? [])])]
      .sort(compareTagValues)
      .map((value) => ({
        name: String(value),
        before: then.tags.get(tag)?.get(value) ?? 0,
        after: now.tags.get(tag)?.get(value) ?? 0,
      }));
    return values.length === 0 ? [] : { tag, values };
  });
  let stayed = 0;
  for (const imageId of then.ids) if (now.ids.has(imageId)) stayed++;
  const size = { before: then.ids.size, after: now.ids.size };
  return { size, joined: size.after - stayed, left: size.before - stayed, tags };
}

type Value = NonNullable<Tags[keyof Tags]>;

async function countTags(rows: Rows): Promise<{ ids: Set<string>; tags: Map<string, Map<Value, number>> }> {
  const ids = new Set<string>();
  const tags = new Map<string, Map<Value, number>>();
  for await (const row of rows) {
    ids.add(row.imageId);
    for (const tag of TAG_NAMES) {
      const value = row[tag];
      if (value === null) continue;
      const counts = tags.get(tag) ?? new Map<Value, number>();
      tags.set(tag, counts.set(value, (counts.get(value) ?? 0) + 1));
    }
  }
  return { ids, tags };
}
