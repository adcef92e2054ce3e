#!/usr/bin/env node
import { answer } from './terminal/answer.js';
import { answerInterrupts } from './terminal/interrupt.js';
import { endWithReaders } from './terminal/output.js';

endWithReaders();
answerInterrupts({ json: process.argv.includes('--json') });
process.exitCode = await answer(process.argv);
