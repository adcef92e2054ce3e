import { serveParent } from '../storage/pictures/helperProcess.js';
import { makeCopies } from './derivative.js';

/**
 * A process that makes the copies which training reads, for a parent that a picture must not end
 * (`storage/pictures/apart.ts`).
 */
serveParent(makeCopies);
