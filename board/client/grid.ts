import type { ShownFinding } from '../../domain/board/protocol.js';
import { Api } from './api.js';
import { Grid } from './page/grid.js';
import { readSetting } from './setting.js';

const setting = readSetting();
const api = new Api<ShownFinding>({ ...setting, items: 'findings' });
const grid = new Grid(api);
addEventListener('keydown', (event) => grid.keyDown(event));
addEventListener('pagehide', () => api.release());
await grid.start();
