import type { DemoKeys } from "./keys.ts";
import type { Keyward } from "./keyward.ts";

/** Returns the lines that tell somebody at a shell, in a checkout of this repository, what to try by hand. */
export function invitation(port: number, { reader }: DemoKeys, { database }: Pick<Keyward, "database">): string {
  const curl = `curl -i --path-as-is http://127.0.0.1:${port}`;
  const bearer = `-H 'authorization: Bearer ${reader.secret}'`;
  return `
Everything is still up. In another shell, in this folder, try:

  ${curl}/v1/orders                     # no key: 401
  ${curl}/v1/orders ${bearer}
  ${curl}/v1/admin/ ${bearer}
  npx keyward keys list --database ${database}
  npx keyward keys create --name mine --scopes api:read,api:write -q --database ${database}
  npx keyward keys revoke ${reader.start} --database ${database}

Ctrl-C ends it and removes the database.
`;
}
