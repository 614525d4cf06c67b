/** One token handler for the whole app: every recipe beside this file takes it from here. */

import { createTokenHandler } from '../../spa-demo/js/token-handler.js';

export const handler = createTokenHandler({ agent: '/oauth-agent', apis: ['/api'] });
