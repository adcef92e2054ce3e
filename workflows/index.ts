export { hyperparameterSearch } from './hyperparameterSearch.js';
export { loopIteration } from './loopIteration.js';
export { mislabelScan } from './mislabelScan.js';
export { startLoop } from './startLoop.js';
export { trainingLoop } from './trainingLoop.js';
