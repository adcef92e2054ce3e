import { storeOf } from '../../cli/environment.js';
import { drawChunk } from '../../domain/draw/drawChunk.js';
import { wholeRows } from '../../domain/draw/drawn.js';
import { drawRowSchema } from '../../domain/tables.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { openPool } from '../../storage/pool.js';
import { type DrawCost, drawJobSchema } from './cost.js';

const job = drawJobSchema.parse(JSON.parse(process.argv[2] ?? ''));
const pool = await openPool(storeOf(await resolveEnvironment()), job.pool, { cacheFolder: job.cacheFolder });
const version = await pool.latestVersion();
// Segments are on this disk, as on a worker that has drawn before.
await pool.readImages(version, new Set());

const start = performance.now();
const before = process.cpuUsage();
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const index = await pool.readColumns(version, drawRowSchema);
const read = cpuSeconds();
const { chunkSize } = job;
const chunk = drawChunk({ index, drawnBefore: new Set(), chunkSize, seed: 1, iteration: 1, pool: job.pool });
const drawn = cpuSeconds();
const rows = wholeRows(chunk, await pool.readImages(version, new Set(chunk.rows.map(({ imageId }) => imageId))));
const cost: DrawCost = {
  rows: index.length,
  drawn: rows.length,
  clusters: new Set(rows.map(({ cluster }) => cluster)).size,
  readSeconds: read,
  drawSeconds: drawn - read,
  wholeRowsSeconds: cpuSeconds() - drawn,
  wallSeconds: (performance.now() - start) / 1_000,
  peakMegabytes: process.resourceUsage().maxRSS / 1_024,
};
process.stdout.write(JSON.stringify(cost));
