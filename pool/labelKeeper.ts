import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { PoolHistory } from '../storage/poolHistory.js';
import { isPurged } from './import/decide.js';
import type { LabelFields, PoolLabel } from './label.js';

/**
 * Stores labels for rows to come, of imports and reviews alike. Equal labels are one object: while the bytes of removed
 * images are deleted, the label of a row that is not in the pool yet looks unused. So labels that others had first are
 * put again once their row is in: either the deletion sees the row, or it is over by then.
 */
export class LabelKeeper {
  private readonly shared = new Map<string, Uint8Array>();
  private readonly deleted: ReadonlySet<string>;

  constructor(
    private readonly store: ObjectStore,
    history: PoolHistory,
  ) {
    const gone = [...history.removed()].filter(isPurged);
    this.deleted = new Set(
      gone.flatMap(({ imageId }) => history.revisions(imageId).map(({ labelSha256 }) => labelSha256)),
    );
  }

  /** @param rows what the pool has of the image: a label among them is in use already */
  async put(label: PoolLabel, rows: readonly IndexRow[]): Promise<LabelFields> {
    const { bytes, ...fields } = label;
    const { labelUri, labelSha256 } = fields;
    const wasThere = (await this.store.putIfAbsent(labelUri, bytes, 'image/png')) === 'exists';
    const isInUse = rows.some((row) => row.labelSha256 === labelSha256 && row.removedAt === null);
    if ((wasThere && !isInUse) || this.deleted.has(labelSha256)) this.shared.set(labelUri, bytes);
    return fields;
  }

  /** To be called once rows are in the pool. */
  async settle(rows: readonly IndexRow[]): Promise<void> {
    for (const { labelUri } of rows) {
      const bytes = this.shared.get(labelUri);
      if (bytes !== undefined) await this.store.putIfAbsent(labelUri, bytes, 'image/png');
    }
  }
}
