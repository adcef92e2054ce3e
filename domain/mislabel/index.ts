export { analyseImage, analyseWithInjection } from './analyse.js';
export { reduceScan } from './reduce.js';
export type {
  AnalysisInput,
  AnalysisOptions,
  Candidate,
  CandidateFeatures,
  ClassIouByName,
  ImageAnalysis,
  ImageStatistics,
  InjectedCandidate,
  ReduceEntry,
  ScanReduction,
  ScanSummary,
} from './types.js';
export { ANALYSIS_VERSION } from './types.js';
