import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema, sha256Schema } from '../../domain/base/ids.js';
import type { LoopState } from '../../domain/loop/state.js';
import { storedStatus } from '../../domain/loop/status.js';
import { loopNames } from '../../steering/knownLoops.js';
import { liveLoop } from '../../steering/loopClient.js';
import { listLoops, readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { mapInOrder } from '../../storage/parallel.js';
import { listPools } from '../../storage/pool/pool.js';
import { loopScans } from '../../storage/scans.js';
import type { AuditCount, AuditCounts } from '../audit/openCounts.js';
import { DONE, type Done, deedSchema, doDeed, doneSchema, type Form, startFrom } from '../loops/deeds.js';
import { loopView, orTold } from '../loops/loopView.js';
import type { TemporalLink } from '../loops/temporalLink.js';
import { LAYERS, type WorstDesk } from '../loops/worstDesk.js';
import { loopPage } from '../pages/loop.js';
import { type ListedLoop, loopsPage } from '../pages/loops.js';
import { worstPage } from '../pages/worst.js';
import { localPath, reviewerOf } from './access.js';
import { faultOf, parsed } from './requests.js';

const MAX_FORM = 64 * 1024;
const AT_ONCE = 8;

interface LoopRoutes {
  store: ObjectStore;
  counts: AuditCounts;
  temporal: TemporalLink;
  worst: WorstDesk;
  /** Faults whose cause no page tells. */
  onError(error: unknown): void;
}

/** The pages of loops, and the forms by which people steer them. */
export function loopRoutes({ store, counts, temporal, worst, onError }: LoopRoutes): Hono {
  const app = new Hono();
  const limit = bodyLimit({ maxSize: MAX_FORM });
  const noticeOf = (context: Context): { notice?: string } => {
    const done = doneSchema.safeParse(context.req.query('done'));
    return done.success ? { notice: DONE[done.data] } : {};
  };
  const refusalOf = (error: unknown) => {
    const { status, message, hint } = faultOf(error);
    if (status >= 500 && !(error instanceof PartloopError)) onError(error);
    return { status, refusal: { message, hint } };
  };

  const shown = async (loop: string) => {
    const view = await loopView(store, temporal, loop);
    return { view, audits: await auditsOf(counts, view.record) };
  };

  app.get('/', async (context) =>
    context.html(loopsPage({ ...(await allLoops(store, temporal)), ...noticeOf(context) })),
  );
  app.post('/', limit, async (context) => {
    const { next, ...form } = await formOf(context);
    try {
      const { done } = await temporal.steer((client) => startFrom(client, form));
      return context.redirect(`/loops?done=${done}`, 303);
    } catch (error) {
      const { status, refusal } = refusalOf(error);
      return context.html(loopsPage({ ...(await allLoops(store, temporal)), refusal, typed: form }), status);
    }
  });
  app.get('/:loop', async (context) => {
    const loop = parsed(nameSchema, context.req.param('loop'));
    return context.html(loopPage({ ...(await shown(loop)), reviewer: reviewerOf(context).name, ...noticeOf(context) }));
  });
  app.get('/:loop/:iteration/worst', async (context) =>
    context.html(worstPage(await worst.open(...iterationOf(context)))),
  );
  app.get('/:loop/:iteration/worst/:image/:layer{(?:given|candidate|production)\\.webp}', async (context) => {
    const imageId = parsed(sha256Schema, context.req.param('image'));
    const layer = parsed(layerSchema, context.req.param('layer').replace(/\.webp$/, ''));
    const picture = await worst.picture(...iterationOf(context), { imageId, layer });
    return context.body(new Uint8Array(picture), 200, {
      'Content-Type': 'image/webp',
      'Cache-Control': 'private, max-age=600',
    });
  });
  app.post('/:loop/:deed', limit, async (context) => {
    const loop = parsed(nameSchema, context.req.param('loop'));
    const deed = parsed(deedSchema, context.req.param('deed'));
    const { next = `/loops/${loop}`, ...form } = await formOf(context);
    const page = async (more: Partial<Parameters<typeof loopPage>[0]>): Promise<string> =>
      loopPage({ ...(await shown(loop)), reviewer: reviewerOf(context).name, ...more });
    let done: Done;
    try {
      done = await temporal.steer((client) => doDeed({ client, store, loop }, deed, form));
    } catch (error) {
      const { status, refusal } = refusalOf(error);
      return context.html(await page({ refusal, typed: form }), status);
    }
    if (done.remark !== null) return context.html(await page({ notice: `${DONE[done.done]} ${done.remark}` }));
    return context.redirect(`${localPath(next)}?done=${done.done}`, 303);
  });
  return app;
}

/** A page that renews itself asks for the same again and again. */
const COUNTED_FOR_MS = 60_000;

async function auditsOf(counts: AuditCounts, record: LoopState): Promise<ReadonlyMap<string, AuditCount>> {
  const pool = record.iterations.at(-1)?.current.config.pool;
  return pool === undefined ? new Map() : counts.of(pool, loopScans(record), COUNTED_FOR_MS);
}

const layerSchema = z.enum(LAYERS);
const iterationOf = (context: Context): [loop: string, iteration: number] => [
  parsed(nameSchema, context.req.param('loop')),
  parsed(z.coerce.number().int().positive(), context.req.param('iteration')),
];

/** The fields that somebody filled in, as text. */
async function formOf(context: Context): Promise<Form> {
  const body = await context.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
    ),
  );
}

async function listed(names: readonly string[], look: (loop: string) => Promise<ListedLoop>): Promise<ListedLoop[]> {
  const found: ListedLoop[] = [];
  for await (const one of mapInOrder(names, AT_ONCE, look)) found.push(one);
  return found;
}

/** All loops, as they answer; from their records if no Temporal service does. */
async function allLoops(
  store: ObjectStore,
  temporal: TemporalLink,
): Promise<Pick<Parameters<typeof loopsPage>[0], 'pools' | 'loops' | 'unreachable'>> {
  const pools = await listPools(store);
  const asked = await orTold(
    temporal.read(async (client) =>
      listed(await loopNames(client, store), async (loop) => {
        const live = await orTold(liveLoop(client, store, loop, 0));
        return { loop, status: 'told' in live ? live.told : live.value.status };
      }),
    ),
  );
  if ('value' in asked) return { pools, loops: asked.value, unreachable: null };
  const loops = await listed(await listLoops(store), async (loop) => {
    const read = await orTold(readLoopState(store, loop));
    return { loop, status: 'told' in read ? read.told : storedStatus(read.value) };
  });
  return { pools, loops, unreachable: asked.told };
}
