import type { ShownImage } from '../../domain/board/protocol.js';
import { Api } from './api.js';
import { AuditSubject } from './page/auditSubject.js';
import { startReview } from './page/reviewPage.js';
import { readSetting } from './setting.js';

const setting = readSetting();
await startReview(setting, new Api<ShownImage>({ ...setting, below: '/audit', items: 'labels' }), new AuditSubject());
