import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const PREFIX = "nginx.ingress.kubernetes.io/";

const ingress = z.object({
  kind: z.literal("Ingress"),
  metadata: z.object({
    annotations: z.strictObject({
      [`${PREFIX}auth-url`]: z.string(),
      [`${PREFIX}auth-response-headers`]: z.string(),
      [`${PREFIX}auth-proxy-set-headers`]: z.literal("default/keyward-chosen-host"),
    }),
  }),
});

const configMap = z.object({ kind: z.literal("ConfigMap"), data: z.record(z.string(), z.string()) });

/**
 * The configuration that the controller's template (kubernetes/ingress-nginx, `rootfs/etc/nginx/template/nginx.tmpl`)
 * makes of the shipped Ingress, as far as it concerns `auth-url`, for an nginx without the controller around it: names of
 * the cluster become addresses of this machine.
 */
export async function ingressNginxConfig(file: string): Promise<string> {
  const [first, second, third] = parseAllDocuments(await readFile(file, "utf8")).map((document) => document.toJS());
  const { annotations } = ingress.parse(first).metadata;
  const withoutCredentials = configMap.parse(second).data;
  const url = (annotations[`${PREFIX}auth-url`] ?? "").replace(
    "keyward.keyward.svc.cluster.local:8000",
    "127.0.0.1:8000",
  );
  const names = (annotations[`${PREFIX}auth-response-headers`] ?? "").split(",");
  const sets = names.map((name, index) => {
    return `auth_request_set $authHeader${index} $upstream_http_${name.replaceAll("-", "_").toLowerCase()};
      proxy_set_header '${name}' $authHeader${index};`;
  });
  const added = Object.entries(configMap.parse(third).data).map(
    ([name, value]) => `proxy_set_header '${name}' "${value}";`,
  );
  const removals = Object.entries(withoutCredentials).map(([name, value]) => `proxy_set_header ${name} "${value}";`);
  return `events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:8080;
    location = /_external-auth-Lw-Prefix {
      internal;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-Proto "";
      proxy_set_header X-Request-ID $request_id;
      proxy_set_header Host 127.0.0.1;
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Sent-From "nginx-ingress-controller";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Auth-Request-Redirect $request_uri;
      ${added.join("\n      ")}
      proxy_buffering off;
      proxy_buffer_size 4k;
      proxy_http_version 1.1;
      # Only here: nginx's own 60 seconds are long for a test.
      proxy_connect_timeout 1s;
      proxy_read_timeout 1s;
      set $target ${url};
      proxy_pass $target;
    }
    location / {
      auth_request /_external-auth-Lw-Prefix;
      ${sets.join("\n      ")}
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      ${removals.join("\n      ")}
      proxy_http_version 1.1;
      proxy_pass http://127.0.0.1:8081;
    }
  }
}
`;
}
