import type { StackEnvironment } from '../../infra/environment.js';
import { tellLoops } from '../../steps/workflows/poolNews.js';
import { connect } from '../environment.js';

/**
 * Tell the loops after an import. Images are there whether Temporal answers or not: a loop also looks by itself, every
 * hour.
 */
export async function tellLoopsAfterImport(env: StackEnvironment, pool: string): Promise<void> {
  const client = await connect(env).catch(() => null);
  if (client === null) return;
  try {
    await client.withDeadline(Date.now() + 10_000, () => tellLoops(client, pool));
  } catch {
    // As above.
  } finally {
    await client.connection.close();
  }
}
