import type { Extension } from "../policy/extensions.ts";

/** A header of the request in which a credential may be. */
export interface Header {
  /** In lower case. */
  readonly name: string;
  /** As it was sent, one character a byte. */
  readonly value: string;
}

/** What deciding needs of one `envoy.service.auth.v3.CheckRequest`. Texts hold one character a byte. */
export interface AccessRequest {
  readonly method: string;
  /** `host`, empty where none was sent; undefined where `:authority` tells another. */
  readonly authority: string | undefined;
  /** `path` with its query; undefined where `:path` tells another. */
  readonly target: string | undefined;
  /** Whether no byte of the path was replaced on the way: it stands in `header_map` (`encode_raw_headers`) as well. */
  readonly bytesKnown: boolean;
  /** Whether there may be headers that Envoy did not show: its `allowed_headers` leave out even `:path`. */
  readonly headersFiltered: boolean;
  /** The address of the connection (`source.address.socket_address`), where there is one. */
  readonly sourceAddress: string | undefined;
  /** The last `user-agent`, where one was sent. Nothing is decided by it. */
  readonly userAgent?: string | undefined;
  /** The headers in which credentials may be, in the order in which they came; one that came twice is there twice. */
  readonly headers: readonly Header[];
  /** Every spelling of an identity header that the client sent, in lower case, each once. */
  readonly identitySpellings: readonly string[];
  /** The entries of `context_extensions` that begin with `keyward.`. */
  readonly extensions: readonly Extension[];
}
