import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  STRUCT,
  structValue,
  VARCHAR,
} from '@duckdb/node-api';
import { TAG_NAMES, tagsSchema } from '../../domain/tags.js';
import { labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import { columnType } from '../../storage/tables/columns.js';
import type { DatasetImage } from '../dataset.js';

/** A feature as the library `datasets` stores it in Parquet's metadata. */
type Feature =
  | { _type: 'Image' }
  | { _type: 'Value'; dtype: 'string' | 'int64' | 'bool' }
  | { _type: 'ClassLabel'; names: string[] }
  | { _type: 'Sequence'; feature: Feature };

/** A column of the table. */
export interface Column {
  name: string;
  /** As DuckDB declares it. */
  sql: string;
  type: DuckDBType;
  feature: Feature;
  /** In words, for the card and for Croissant. */
  about: string;
  cellOf(image: DatasetImage): DuckDBValue;
}

const FILE = STRUCT({ bytes: BLOB, path: VARCHAR });
const file = (bytes: Uint8Array, path: string): DuckDBValue => structValue({ bytes: blobValue(bytes), path });
const fileColumn = { sql: 'STRUCT(bytes BLOB, path VARCHAR)', type: FILE, feature: { _type: 'Image' } } as const;
const textColumn = { sql: 'VARCHAR', type: VARCHAR, feature: { _type: 'Value', dtype: 'string' } } as const;

/** The columns of an image, in the order of the table. */
export function columnsOf(taxonomy: Taxonomy): Column[] {
  return [
    {
      name: 'image',
      ...fileColumn,
      about: 'the upright picture',
      cellOf: ({ picture, name }) => file(picture ?? new Uint8Array(), name),
    },
    {
      name: 'label',
      ...fileColumn,
      about: 'class numbers as an 8-bit greyscale PNG of the same size: 0 is background, 255 is ignored',
      cellOf: ({ label, name }) => file(label, `${name}.png`),
    },
    {
      name: 'image_id',
      ...textColumn,
      about: 'sha256 of the file that was imported',
      cellOf: ({ row }) => row.imageId,
    },
    { name: 'file_name', ...textColumn, about: 'name in the pool', cellOf: ({ row }) => row.fileName },
    {
      name: 'classes',
      sql: 'BIGINT[]',
      type: LIST(BIGINT),
      feature: { _type: 'Sequence', feature: { _type: 'ClassLabel', names: labelNames(taxonomy) } },
      about: 'classes that the label has, background left out',
      cellOf: ({ row }) => listValue(row.classes.map(BigInt)),
    },
    { name: 'vehicle_id', ...textColumn, about: 'the vehicle, if known', cellOf: ({ row }) => row.vehicleId },
    { name: 'source', ...textColumn, about: 'in-house or client', cellOf: ({ row }) => row.source },
    ...TAG_NAMES.map((tag): Column => {
      const about = `tag ${tag}, if known`;
      const kind = columnType(tagsSchema.shape[tag], tag);
      if (kind === 'BIGINT')
        return {
          ...{ name: tag, sql: kind, type: BIGINT, feature: { _type: 'Value', dtype: 'int64' }, about },
          cellOf: ({ row }) => (row[tag] === null ? null : BigInt(row[tag])),
        };
      if (kind === 'BOOLEAN')
        return {
          ...{ name: tag, sql: kind, type: BOOLEAN, feature: { _type: 'Value', dtype: 'bool' }, about },
          cellOf: ({ row }) => row[tag],
        };
      return { name: tag, ...textColumn, about, cellOf: ({ row }) => (row[tag] === null ? null : String(row[tag])) };
    }),
  ];
}

/** What `datasets` reads from Parquet's metadata under the key `huggingface`. */
export const featuresMetadata = (columns: readonly Column[]): string =>
  JSON.stringify({ info: { features: Object.fromEntries(columns.map(({ name, feature }) => [name, feature])) } });
