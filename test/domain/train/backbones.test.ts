import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { BACKBONES } from '../../../domain/train/backbones.js';
import { ROOT } from '../../support/binaries.js';

/** Names that timm has, of those given; and of a few, the strides of their features. */
const PYTHON = `
import json, sys, torch, timm
names = json.load(sys.stdin)
strides = {}
for name in names["built"]:
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False, features_only=True)
    strides[name] = list(model.feature_info.reduction())
json.dump({"unknown": sorted(set(names["all"]) - set(timm.list_models())), "strides": strides}, sys.stdout)
`;

describe('the backbones that a configuration may name', function () {
  this.timeout(120_000);

  it('are known to the installed timm, and give the maps that the neck needs', async () => {
    const own = ['efficientnet_lite0', 'swin_tiny', 'swin_large'];
    const all = BACKBONES.filter((name) => !own.includes(name));
    const built = all.filter((_, index) => index % 150 === 0);
    const run = promisify(execFile)(join(ROOT, '.venv', 'bin', 'python'), ['-c', PYTHON], {
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
    });
    run.child.stdin?.end(JSON.stringify({ all, built }));
    const schema = z.object({ unknown: z.array(z.string()), strides: z.record(z.string(), z.array(z.number())) });
    const { unknown, strides } = schema.parse(JSON.parse((await run).stdout));
    assert.deepEqual(unknown, []);
    for (const [name, found] of Object.entries(strides))
      for (const stride of [4, 8, 16, 32]) assert.ok(found.includes(stride), `${name}: ${found.join()}`);
  });

  it('are each named once', () => {
    assert.equal(new Set(BACKBONES).size, BACKBONES.length);
    for (const name of ['resnet50', 'convnext_tiny', 'swin_base_patch4_window7_224'])
      assert.ok(BACKBONES.includes(name));
  });
});
