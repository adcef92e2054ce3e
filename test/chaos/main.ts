import { printLine, printTable, say } from '../../cli/output.js';
import { type ChaosSize, runChaos } from './run.js';

/** `npm run chaos`: kill everything once in one loop run and compare with an undisturbed run. Exit 1 on a difference. */
const SIZE: ChaosSize = { train: 72, chunk: 36, iterations: 2, trainIterations: 40, imageSize: 64 };

const { undisturbed, disturbed, kills, leftBehind } = await runChaos(SIZE, say);
printLine(`SIGKILL: ${kills.join('; ')}`);
const rows = undisturbed.map((calm, index) => ({
  iteration: calm.iteration,
  'same sample rows': String(calm.sample === disturbed[index]?.sample),
  'same weights': String(calm.weights === disturbed[index]?.weights),
  weights: calm.weights.slice(0, 16),
}));
printTable(rows);
printLine(leftBehind.length === 0 ? 'No process is left behind.' : `Left behind:\n${leftBehind.join('\n')}`);
const equal = undisturbed.every(
  (calm, index) => calm.sample === disturbed[index]?.sample && calm.weights === disturbed[index]?.weights,
);
process.exitCode = equal && leftBehind.length === 0 ? 0 : 1;
