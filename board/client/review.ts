import type { ShownFinding } from '../../domain/board/protocol.js';
import { Api } from './api.js';
import { FindingSubject } from './page/findingSubject.js';
import { startReview } from './page/reviewPage.js';
import { readSetting } from './setting.js';

const setting = readSetting();
const api = new Api<ShownFinding>({ ...setting, items: 'findings' });
await startReview(setting, api, new FindingSubject((labelValue, number) => api.exampleOf(labelValue, number)));
