export { analyseImage, analyseWithInjection } from './image/analyse.js';
export type {
  AnalysisInput,
  Candidate,
  ClassIouByName,
  ImageAnalysis,
  ReduceEntry,
  ScanReduction,
} from './types.js';
export { ANALYSIS_VERSION } from './types.js';
export { reduceScan } from './verdict/reduce.js';
