import { stringify } from 'yaml';
import { IGNORE_INDEX, labelNames } from '../../domain/taxonomy.js';
import { type DatasetFacts, type Piece, SPLITS } from '../dataset.js';
import type { Column } from './columns.js';
import { HF_SPLITS } from './splits.js';

/** The hub's names of sizes, by the number of images that they end below. */
const SIZES: readonly (readonly [below: number, name: string])[] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
];

/** `README.md`: what the hub shows of a dataset, and in its head what `load_dataset` reads. */
export function datasetCard(facts: DatasetFacts, pieces: readonly Piece[], columns: readonly Column[]): string {
  const { pool, version, taxonomy } = facts;
  const splits = SPLITS.map((split) => {
    const images = pieces.filter((piece) => piece.split === split).reduce((sum, piece) => sum + piece.images, 0);
    return { name: HF_SPLITS[split], images };
  }).filter(({ images }) => images > 0);
  const all = splits.reduce((sum, { images }) => sum + images, 0);
  const head = {
    pretty_name: pool,
    task_categories: ['image-segmentation'],
    size_categories: [SIZES.find(([below]) => all < below)?.[1] ?? '10M<n<100M'],
    configs: [
      {
        config_name: 'default',
        data_files: splits.map(({ name }) => ({ split: name, path: `data/${name}-*.parquet` })),
      },
    ],
  };
  return `${[
    `---\n${stringify(head)}---\n`,
    `# ${pool}\n`,
    `Version ${version} of the partloop pool \`${pool}\`: ${all} images with one mask each.\n`,
    '    from datasets import load_dataset',
    '    images = load_dataset("PATH_OR_NAME_OF_THIS_FOLDER")\n',
    '| split | images |\n|---|---|',
    ...splits.map(({ name, images }) => `| ${name} | ${images} |`),
    '\n| column | content |\n|---|---|',
    ...columns.map(({ name, about }) => `| ${name} | ${about} |`),
    `\nClass numbers of taxonomy \`${taxonomy.name}\` (\`taxonomy.json\` has its rules):\n`,
    '| number | class |\n|---|---|',
    ...labelNames(taxonomy).map((name, value) => `| ${value} | ${name} |`),
    `| ${IGNORE_INDEX} | counts nowhere |`,
    '\nNo licence is stated: whoever publishes this dataset adds one.',
  ].join('\n')}\n`;
}
