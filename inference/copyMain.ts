import { serveParent } from '../storage/helperProcess.js';
import { makeCopies } from './derivative.js';

/** A process that makes the copies which training reads, for a parent that a picture must not end (`storage/apart.ts`). */
serveParent(makeCopies);
