import assert from 'node:assert/strict';
import { registrationCommands, registrationHint } from '../../workers/searchAttributes.js';

const MISSING = [
  { name: 'PartloopLoop', indexed: 2, label: 'Keyword' },
  { name: 'PartloopMiou', indexed: 4, label: 'Double' },
];

describe('the commands that register search attributes', () => {
  it('are those of the server for a self-hosted service', () => {
    assert.deepEqual(registrationCommands(MISSING, 'temporal.internal:7233', 'default'), [
      'temporal operator search-attribute create --address temporal.internal:7233 --namespace default --name PartloopLoop --type Keyword',
      'temporal operator search-attribute create --address temporal.internal:7233 --namespace default --name PartloopMiou --type Double',
    ]);
  });

  it('are those of Temporal Cloud for Cloud, with the way through its UI', () => {
    for (const address of ['cars.a1b2c.tmprl.cloud:7233', 'eu-west-1.aws.api.temporal.io:7233']) {
      const hint = registrationHint(MISSING, address, 'cars.a1b2c');
      assert.match(hint, /Cloud UI/);
      assert.match(
        hint,
        /tcld namespace search-attributes add --namespace cars\.a1b2c --search-attribute "PartloopLoop=Keyword" --search-attribute "PartloopMiou=Double"$/,
      );
      assert.doesNotMatch(hint, /temporal operator/);
    }
  });
});
