import { LOCAL_BUCKET } from '../../../infra/services/seaweed.js';
import { openStore, type StoreOptions } from '../../../storage/objects/s3.js';
import { checkHistory, type Deed, Person } from './world.js';

interface Order {
  options: Omit<StoreOptions, 'uri'>;
  prefix: string;
  name: string;
  sequence: Deed[];
}

/**
 * A person in a separate process: runs each command, checks the pool after it, and answers with its observations.
 */
process.once('message', (order: Order) => {
  void work(order).then(
    (rows) => process.send?.({ rows }, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function work({ options, prefix, name, sequence }: Order) {
  const store = openStore({ ...options, uri: `s3://${LOCAL_BUCKET}/${prefix}` });
  const person = await Person.at(store, name);
  let rows = await checkHistory(store, [], { asked: false });
  for (const deed of sequence) {
    await person.act(deed);
    rows = await checkHistory(store, rows, { asked: false });
  }
  await person.leave();
  return rows;
}
