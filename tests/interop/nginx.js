/** A real nginx in front, as a gateway: what the manual recommends, nothing more. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Child } from '../support/child.js';

/** @param {{folder: string, port: number, upstreams: number[]}} where several upstreams take turns */
export async function startNginx({ folder, port, upstreams }) {
  const servers = upstreams.map((upstream) => `server 127.0.0.1:${upstream} max_fails=0;`).join('\n    ');
  const prefix = path.join(folder, 'nginx');
  await mkdir(prefix);
  const config = path.join(prefix, 'nginx.conf');
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${prefix}/${kind};`).join('\n  ');
  await writeFile(
    config,
    `
daemon off;
master_process off;
pid ${prefix}/pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${scratch}
  upstream cloakroom {
    ${servers}
    keepalive 8;
  }
  server {
    listen 127.0.0.1:${port};
    large_client_header_buffers 8 32k;
    location / {
      proxy_pass http://cloakroom;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      # What a trusted proxy passes on is believed: it writes these anew, or a browser could speak through it.
      proxy_set_header Forwarded "";
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffer_size 32k;
      proxy_buffers 8 32k;
    }
  }
}
`,
  );
  const nginx = new Child(process.env.NGINX ?? '/usr/sbin/nginx', ['-p', prefix, '-c', config, '-e', 'stderr']);
  await nginx.listening(port);
  return nginx;
}
