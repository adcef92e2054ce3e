export { analyseImage, analyseWithInjection } from './analyse.js';
export { reduceScan } from './reduce.js';
export type {
  AnalysisInput,
  Candidate,
  ClassIouByName,
  ImageAnalysis,
  ReduceEntry,
  ScanReduction,
} from './types.js';
export { ANALYSIS_VERSION } from './types.js';
