import { Api } from './api.js';
import { Grid } from './page/grid.js';
import { readSetting } from './setting.js';

const setting = readSetting();
const grid = new Grid(new Api(setting.scan, setting.filter));
addEventListener('keydown', (event) => grid.keyDown(event));
await grid.start();
