/** `npm run build`: compile everything and bundle the workflows; what a deleted source left in dist/ goes. */
import { bundle, compile } from './setup/build.mjs';

await compile();
await bundle();
