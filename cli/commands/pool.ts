import type { Command } from 'commander';
import type { IndexRow } from '../../domain/tables.js';
import { TAG_NAMES } from '../../domain/tags.js';
import { labelNames } from '../../domain/taxonomy.js';
import { listPools, openPool } from '../../storage/pool.js';
import { openEnvironmentStore } from '../environment.js';
import { printJson, printTable, say } from '../output.js';
import { loadTaxonomy } from './import.js';

/** `partloop pool list|stats|taxonomy`. */
export function register(program: Command): void {
  const pool = program.command('pool').description('Look at pools and taxonomies');

  pool
    .command('list')
    .description('Every pool')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const pools = await listPools(store);
      if (json) printJson({ pools });
      else if (pools.length === 0) say('No pool yet; `partloop import` makes one.');
      else printTable(pools.map((name) => ({ pool: name })));
    });

  pool
    .command('stats')
    .description('Images by split, class and tag')
    .argument('<name>')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (name: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const opened = await openPool(store, name);
      const version = await opened.latestVersion();
      const rows = await opened.readIndex(version);
      const splits = countBy(rows, (row) => row.split);
      const names = labelNames(opened.taxonomy);
      const classes = names.slice(1).map((className, index) => ({
        class: className,
        images: rows.filter((row) => row.classes.includes(index + 1)).length,
      }));
      const tags = TAG_NAMES.map((tag) => ({ tag, values: countBy(rows, (row) => String(row[tag] ?? 'unknown')) }));
      const vehicles = new Set(rows.flatMap((row) => row.vehicleId ?? [])).size;
      if (json)
        return printJson({
          pool: name,
          version,
          images: rows.length,
          splits,
          vehicles,
          taxonomy: opened.taxonomy.name,
          classes,
          tags,
          defaults: opened.defaults,
        });
      say(
        `pool ${name}, version ${version}: ${rows.length} images (${describe(splits)}), ${vehicles} vehicles, taxonomy ${opened.taxonomy.name}`,
      );
      printTable(classes);
      printTable(tags.map(({ tag, values }) => ({ tag, values: describe(values) })));
    });

  pool
    .command('taxonomy')
    .description('Print a taxonomy as JSON, to use or to start from')
    .argument('<name or file>')
    .action(async (named: string) => printJson(await loadTaxonomy(named)));
}

function countBy(rows: readonly IndexRow[], key: (row: IndexRow) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

const describe = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([value, count]) => `${value} ${count}`)
    .join(', ');
