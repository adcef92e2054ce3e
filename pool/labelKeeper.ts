import type { IndexRow } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import type { PoolHistory } from '../storage/pool/poolHistory.js';
import { isPurged } from './import/decide.js';
import type { LabelFields, PoolLabel } from './label.js';

/**
 * Stores labels for coming rows, of imports and of reviews. Equal labels are one object. During a deletion of bytes,
 * the label of a row that is not yet in the pool looks unused. So a label that existed before is stored again after its
 * row was added: by then either the deletion sees the row, or it is over.
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

  /** Call this when the rows are in the pool. */
  async settle(rows: readonly IndexRow[]): Promise<void> {
    for (const { labelUri } of rows) {
      const bytes = this.shared.get(labelUri);
      if (bytes !== undefined) await this.store.putIfAbsent(labelUri, bytes, 'image/png');
    }
  }
}
