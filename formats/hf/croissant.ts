import { type DatasetFacts, type Piece, SPLITS } from '../dataset.js';
import type { Column } from './columns.js';
import { HF_SPLITS } from './splits.js';

/** As the specification of Croissant 1.0 prints it (https://docs.mlcommons.org/croissant/docs/croissant-spec.html). */
const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};
const FILES = 'parquet-files';
const IMAGES = 'images';
const SPLIT = 'split';

/** `croissant.json`: the files, columns and splits of a dataset for tools that read Croissant 1.0. */
export function croissant(facts: DatasetFacts, pieces: readonly Piece[], columns: readonly Column[]): object {
  const { pool, version, createdAt } = facts;
  const splits = SPLITS.filter((split) => pieces.some((piece) => piece.split === split)).map(
    (split) => HF_SPLITS[split],
  );
  return {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.0',
    name: pool,
    description: `Version ${version} of the partloop pool ${pool}: images with one segmentation mask each.`,
    version: `${version}.0.0`,
    datePublished: createdAt,
    distribution: [
      {
        '@type': 'cr:FileSet',
        '@id': FILES,
        encodingFormat: 'application/x-parquet',
        includes: 'data/*.parquet',
      },
    ],
    recordSet: [
      {
        '@type': 'cr:RecordSet',
        '@id': 'splits',
        dataType: 'cr:Split',
        key: { '@id': 'splits/name' },
        field: [{ '@type': 'cr:Field', '@id': 'splits/name', dataType: 'sc:Text' }],
        data: splits.map((name) => ({ 'splits/name': name })),
      },
      {
        '@type': 'cr:RecordSet',
        '@id': IMAGES,
        key: { '@id': `${IMAGES}/image_id` },
        field: [splitField(), ...columns.map(columnField)],
      },
    ],
  };
}

const splitField = (): object => ({
  '@type': 'cr:Field',
  '@id': `${IMAGES}/${SPLIT}`,
  dataType: 'sc:Text',
  source: {
    fileSet: { '@id': FILES },
    extract: { fileProperty: 'fullpath' },
    transform: { regex: `(?:.*/)?(${Object.values(HF_SPLITS).join('|')})-\\d+\\.parquet$` },
  },
  references: { field: { '@id': 'splits/name' } },
});

function columnField({ name, about, feature }: Column): object {
  const source = { fileSet: { '@id': FILES }, extract: { column: name } };
  const field = { '@type': 'cr:Field', '@id': `${IMAGES}/${name}`, description: about };
  if (feature._type === 'Image')
    return { ...field, dataType: 'sc:ImageObject', source: { ...source, transform: { jsonPath: 'bytes' } } };
  if (feature._type === 'Sequence') return { ...field, dataType: 'sc:Integer', repeated: true, source };
  const types = { string: 'sc:Text', int64: 'sc:Integer', bool: 'sc:Boolean' } as const;
  return { ...field, dataType: feature._type === 'Value' ? types[feature.dtype] : 'sc:Integer', source };
}
