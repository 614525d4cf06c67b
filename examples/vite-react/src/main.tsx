import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { takeLoginError } from './token-handler.js';
import { handler } from './handler.js';
import { createQueryClient } from './tanstack-query.js';
import { App } from './app.js';
import './app.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
const failed = takeLoginError(); // before anything signs in or looks at the address bar

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient(handler)}>
      <App handler={handler} failed={failed} />
    </QueryClientProvider>
  </StrictMode>,
);
