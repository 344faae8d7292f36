/** The listeners that can speak TLS, as the file names them. The local admin socket is opened by its mode alone. */
export const TLS_LISTENERS = ["authz", "forward_auth", "admin", "ops"] as const;

export type TlsListener = (typeof TLS_LISTENERS)[number];
