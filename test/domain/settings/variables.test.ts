import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readVariables, shownVariables, VARIABLE_NAMES } from '../../../domain/settings/variables.js';
import { ROOT } from '../../support/binaries.js';

const ALLOWED = {
  PARTLOOP_CACHE_GB: 'a number of gigabytes such as 100',
  PARTLOOP_WORKERS: 'any of light, scan, train, separated by commas, or nothing',
  PARTLOOP_HEALTH_PORT: 'a port such as 8080',
  PARTLOOP_STORE: 's3://bucket/prefix',
  PARTLOOP_METRICS_ADDRESS: 'an address with a port up to 65533 such as 127.0.0.1:9464',
  PARTLOOP_STORE_ENCRYPTION: 'AES256, aws:kms or aws:kms=KEY',
  AWS_ENDPOINT_URL_S3: 'an address such as http://127.0.0.1:9000',
  PARTLOOP_BOARD_URL: 'an http or https address without user, password and query',
  TEMPORAL_UI_URL: 'an address such as http://127.0.0.1:9000',
} as const;

describe('environment variables', () => {
  it('have their values, or their defaults if they are unset or empty', () => {
    assert.equal(readVariables({}).PARTLOOP_CACHE_GB, 100);
    assert.equal(readVariables({ PARTLOOP_CACHE_GB: '' }).PARTLOOP_CACHE_GB, 100);
    assert.equal(readVariables({ PARTLOOP_CACHE_GB: '0' }).PARTLOOP_CACHE_GB, 0);
    assert.equal(readVariables({ PARTLOOP_CACHE_GB: '2.5' }).PARTLOOP_CACHE_GB, 2.5);
    assert.equal(readVariables({ PARTLOOP_HOME: '' }).PARTLOOP_HOME, undefined);
    assert.equal(readVariables({}).PARTLOOP_WORKERS, undefined);
    assert.deepEqual(readVariables({ PARTLOOP_WORKERS: '' }).PARTLOOP_WORKERS, []);
    assert.deepEqual(readVariables({ PARTLOOP_WORKERS: 'scan, light,scan' }).PARTLOOP_WORKERS, ['scan', 'light']);
  });

  for (const [name, ...values] of [
    ['PARTLOOP_CACHE_GB', '10GB', '-1', 'NaN', 'Infinity', '1e99', '0x10', ' 5', 'ten'],
    ['PARTLOOP_WORKERS', 'trian', 'light;scan', 'constructor'],
    ['PARTLOOP_HEALTH_PORT', '0', '65536', '-1', '80a'],
    ['PARTLOOP_STORE', 'bucket', '/tmp/store', 's3://', 'http://127.0.0.1/x'],
    [
      'PARTLOOP_METRICS_ADDRESS',
      '9464',
      'localhost:9464',
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:65534',
      'http://127.0.0.1:9464',
    ],
    ['PARTLOOP_STORE_ENCRYPTION', 'aes256', 'AES256=key', 'aws:kms=', 'aws:kms=a key', 'aws:kms:dsse'],
    ['AWS_ENDPOINT_URL_S3', '127.0.0.1:9000', 'ftp://x'],
    [
      'PARTLOOP_BOARD_URL',
      '127.0.0.1:8236',
      'javascript:alert(1)',
      'http://kim:pass@board.example.org',
      'http://board.example.org/?a=b',
    ],
    ['TEMPORAL_UI_URL', 'localhost:8233', 'javascript:alert(1)'],
  ] as const) {
    it(`refuse an impossible ${name}, and say what it may be`, () => {
      for (const value of values) {
        assert.throws(() => readVariables({ [name]: value }), {
          code: 'config-invalid',
          message: `the environment variable ${name} is \`${value}\`, but must be ${ALLOWED[name]}`,
        });
      }
    });
  }

  const NOTIFY = {
    PARTLOOP_NOTIFY_URL: 'https://hooks.example/services/hidden',
    PARTLOOP_NOTIFY_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
  };

  it('name a webhook with its key or not at all', () => {
    assert.equal(readVariables(NOTIFY).PARTLOOP_NOTIFY_URL, NOTIFY.PARTLOOP_NOTIFY_URL);
    for (const [name, value] of Object.entries(NOTIFY))
      assert.throws(() => readVariables({ [name]: value }), { code: 'config-invalid', message: /is not set/ });
  });

  it('of a webhook are shown by no error and no list', () => {
    for (const [name, ...values] of [
      [
        'PARTLOOP_NOTIFY_URL',
        'hooks.example/hidden',
        'ftp://hooks.example/hidden',
        'https://hidden:word@hooks.example/',
      ],
      ['PARTLOOP_NOTIFY_SECRET', 'hidden', `whsec_${Buffer.alloc(23).toString('base64')}`, 'x'.repeat(100)],
    ] as const)
      for (const value of values)
        assert.throws(
          () => readVariables({ ...NOTIFY, [name]: value }),
          (error: Error) =>
            error.message.startsWith(`the environment variable ${name} must be `) && !error.message.includes(value),
        );
    assert.deepEqual(shownVariables({ ...NOTIFY, PARTLOOP_HOME: '/tmp/a' }), {
      PARTLOOP_HOME: '/tmp/a',
      PARTLOOP_NOTIFY_URL: '(hidden)',
      PARTLOOP_NOTIFY_SECRET: '(hidden)',
    });
  });

  const declared = new Set<string>(VARIABLE_NAMES);

  it('are all in docs/operations.md', () => {
    const page = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
    for (const name of declared) assert.ok(page.includes(`\`${name}\``), name);
  });

  it('are read only by way of their declaration', () => {
    const files = execFileSync('git', ['ls-files', '*.ts'], { cwd: ROOT, encoding: 'utf8' }).trimEnd().split('\n');
    const product = files.filter((file) => !/^(test|bench)\//.test(file));
    assert.ok(product.length > 100);
    const read = product.flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/process\.env\.(\w+)/g)].map(([, name]) => `${file} ${name}`),
    );
    assert.deepEqual(read.sort(), [
      // Passed on to a program, not read.
      'cli/scan/attachHead.ts PATH',
      // Before anything is parsed: an error of the parsing itself can be traced.
      'cli/terminal/output.ts PARTLOOP_DEBUG',
      // Set for a library.
      'storage/objects/s3/bucket.ts AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED',
      'workers/run.ts TEMPORAL_POLL_SHUTDOWN_INTERRUPT_WAIT_MS',
    ]);
  });
});
