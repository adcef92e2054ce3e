import { serveParent } from '../storage/pictures/helperProcess.js';
import { makeCopies } from './derivative.js';

/**
 * A process that makes the copies that training reads, for a parent that a picture must not crash
 * (`storage/pictures/apart.ts`).
 */
serveParent(makeCopies);
