import { storeOf } from '../../cli/environment.js';
import { drawChunk } from '../../domain/draw/drawChunk.js';
import { wholeRows } from '../../domain/draw/drawn.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { openPool } from '../../storage/pool/pool.js';
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
const index = await pool.readDrawColumns(version);
const read = cpuSeconds();
const { chunkSize } = job;
const request = { index, drawnBefore: new Set<string>(), chunkSize, seed: 1, iteration: 1, pool: job.pool };
const chunk = drawChunk(request);
const drawn = cpuSeconds();
const images = await pool.readImages(version, new Set(chunk.images.map(({ imageId }) => imageId)));
const rows = wholeRows(chunk, new Map(images.map((row) => [row.imageId, row])), request);
const cost: DrawCost = {
  rows: index.ids.count,
  drawn: rows.length,
  clusters: new Set(rows.map(({ cluster }) => cluster)).size,
  readSeconds: read,
  drawSeconds: drawn - read,
  wholeRowsSeconds: cpuSeconds() - drawn,
  wallSeconds: (performance.now() - start) / 1_000,
  peakMegabytes: process.resourceUsage().maxRSS / 1_024,
};
process.stdout.write(JSON.stringify(cost));
