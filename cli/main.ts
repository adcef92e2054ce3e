#!/usr/bin/env node
import { answer } from './answer.js';
import { answerInterrupts } from './interrupt.js';
import { endWithReaders } from './output.js';

endWithReaders();
answerInterrupts({ json: process.argv.includes('--json') });
process.exitCode = await answer(process.argv);
