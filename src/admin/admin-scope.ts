/** What an admin key can be for. Scopes of the admin API have nothing to do with those of data-plane keys. */
export const ADMIN_SCOPES = [
  "keys:read",
  "keys:write",
  "owners:write",
  "audit:read",
  "admins:write",
  "system:write",
] as const;

export type AdminScope = (typeof ADMIN_SCOPES)[number];

/** Whether a text is one of the admin scopes. */
export function isAdminScope(text: string): text is AdminScope {
  return ADMIN_SCOPES.some((scope) => scope === text);
}

/**
 * What each method needs: an admin scope, any valid admin key, or nothing at all. A method that is not here is refused.
 */
export const METHOD_ACCESS: Readonly<Record<string, AdminScope | "any admin key" | "open">> = {
  "keyward.admin.v1.KeyService.CreateKey": "keys:write",
  "keyward.admin.v1.KeyService.GetKey": "keys:read",
  "keyward.admin.v1.KeyService.ListKeys": "keys:read",
  "keyward.admin.v1.KeyService.RevokeKey": "keys:write",
  "keyward.admin.v1.KeyService.UpdateKey": "keys:write",
  "keyward.admin.v1.KeyService.RotateKey": "keys:write",
  "keyward.admin.v1.KeyService.DisableKey": "keys:write",
  "keyward.admin.v1.KeyService.EnableKey": "keys:write",
  "keyward.admin.v1.KeyService.ExplainCheck": "keys:read",
  "keyward.admin.v1.KeyService.VerifyKey": "keys:read",
  "keyward.admin.v1.KeyService.GetDecision": "keys:read",
  "keyward.admin.v1.KeyService.ImportKeys": "keys:write",
  "keyward.admin.v1.OwnerService.CreateOwner": "owners:write",
  "keyward.admin.v1.OwnerService.GetOwner": "keys:read",
  "keyward.admin.v1.OwnerService.ListOwners": "keys:read",
  "keyward.admin.v1.OwnerService.UpdateOwner": "owners:write",
  "keyward.admin.v1.OwnerService.DeleteOwner": "owners:write",
  "keyward.admin.v1.AdminKeyService.CreateAdminKey": "admins:write",
  "keyward.admin.v1.AdminKeyService.ListAdminKeys": "admins:write",
  "keyward.admin.v1.AdminKeyService.RevokeAdminKey": "admins:write",
  "keyward.admin.v1.AuditService.ListEvents": "audit:read",
  "keyward.admin.v1.AuditService.WatchEvents": "audit:read",
  "keyward.admin.v1.SystemService.GetStatus": "any admin key",
  "keyward.admin.v1.SystemService.RotateSigningKey": "system:write",
  "keyward.admin.v1.SystemService.Backup": "system:write",
  // Probes and tools ask these before they have a key, and learn nothing that is not public.
  "grpc.health.v1.Health.Check": "open",
  "grpc.health.v1.Health.List": "open",
  "grpc.health.v1.Health.Watch": "open",
  "grpc.reflection.v1.ServerReflection.ServerReflectionInfo": "open",
  "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo": "open",
};
