import { register } from 'node:module';

// Loaded by `--import` into every Node process of the bench's stack. Only workers get stand-ins.
if (/\/workers\/main\.js$/.test(process.argv[1] ?? '')) register('./hooks.js', import.meta.url);
