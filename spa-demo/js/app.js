/**
 * The demo app, top down: one token handler, then the panels that share it.
 * What a panel needs comes in by argument; none knows another.
 */

import { clockPanel } from './panels/clock.js';
import { callPanel } from './panels/call.js';
import { elsewherePanel } from './panels/elsewhere.js';
import { inspectorPanel } from './panels/inspector.js';
import { labPanel } from './panels/lab.js';
import { loginErrorPanel } from './panels/login-error.js';
import { tabsPanel } from './panels/tabs.js';
import { ticketPanel } from './panels/ticket.js';
import { wherePanel } from './panels/where.js';
import { whoPanel } from './panels/who.js';
import { startRoutes } from './routes.js';
import { createTokenHandler } from './token-handler.js';

// Before anything else: it cleans the address bar, and a sign-in started later returns to what stands there.
loginErrorPanel();

const handler = createTokenHandler({ agent: '/oauth-agent', apis: ['/api'] });

ticketPanel(handler);
clockPanel(handler);
whoPanel(handler);
const where = wherePanel(handler);
callPanel(handler, where.sawResponse);
inspectorPanel(handler);
tabsPanel();
labPanel(handler);
elsewherePanel(handler);
startRoutes();
