/**
 * `npm run build`: compile everything, bundle the workflows and the board's script. What a deleted source left in dist/
 * goes.
 */
import { bundle, bundleBoard, compile } from './setup/build.mjs';

await compile();
await bundle();
await bundleBoard();
