import assert from 'node:assert/strict';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { ROLE_NAMES, ROLES } from '../../workers/roles.js';

/** The default time of Kubernetes; a third of it is for the last work of a cancelled activity. */
const KUBERNETES_SECONDS = 30;

describe('a worker that is told to stop', () => {
  for (const role of ROLE_NAMES)
    it(`in role ${role} cancels its work in time to save before Kubernetes kills it`, () => {
      assert.ok(msToNumber(ROLES[role].graceTime) <= (2_000 / 3) * KUBERNETES_SECONDS);
    });
});
