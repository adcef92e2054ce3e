import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import { readVariables } from '../../domain/settings/variables.js';
import { deliver } from '../../telemetry/notify/delivery.js';
import { testMessage } from '../../telemetry/notify/message.js';
import { webhookOf } from '../../telemetry/notify/webhook.js';
import { printJson, say } from '../terminal/output.js';

/** `partloop notify test`. */
export function register(program: Command): void {
  program
    .command('notify')
    .description('Messages to a webhook')
    .command('test')
    .description('Send a signed test message to the webhook that this environment names')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json }: { json?: true }) => {
      const webhook = webhookOf(readVariables(process.env));
      if (webhook === null)
        throw new PartloopError('setup-incomplete', 'PARTLOOP_NOTIFY_URL is not set', {
          hint: 'Set it and PARTLOOP_NOTIFY_SECRET here and for the workers; docs/monitoring.md says how.',
        });
      const message = testMessage(randomUUID());
      const { ok, tries, answer } = await deliver(webhook, message);
      if (!ok)
        throw new PartloopError('stack-unavailable', `the webhook did not take the message: ${answer}`, {
          hint: 'Check PARTLOOP_NOTIFY_URL. A server has to answer with a status from 200 to 299 by itself.',
        });
      if (json) printJson({ id: message.id, tries, answer });
      else say(`the webhook took the message ${message.id} (${answer})`);
    });
}
