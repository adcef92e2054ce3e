export { cleanUp } from './cleanUp.js';
export { hyperparameterSearch } from './hyperparameterSearch.js';
export { loopIteration } from './loopIteration.js';
export { mislabelScan } from './mislabelScan.js';
export { poolIngest } from './poolIngest.js';
export { startIngest } from './startIngest.js';
export { startLoop } from './startLoop.js';
export { trainingLoop } from './trainingLoop.js';
// Workers run the default export for any type that is not above.
export { unknownWorkflow as default } from './unknownWorkflow.js';
