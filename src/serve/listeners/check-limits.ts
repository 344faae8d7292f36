/**
 * The largest request that is judged. A larger one would be an error of the call, which Envoy's `failure_mode_allow`
 * lets through. Envoy's `max_request_headers_kb` ends at 8 MiB and a path is sent twice, so nothing larger can come
 * without a body.
 */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/**
 * Metadata of a Check call is usually well under 1 KiB, but Envoy's tracers copy the client's `tracestate` into it, and a
 * call that is refused for its size is an error that `failure_mode_allow` lets through.
 */
export const MAX_HEADER_LIST_BYTES = 1024 * 1024;

/**
 * How many connections a check thread has at the most. An Envoy opens one for each of its workers, so this is room for a
 * hundred large ones, and the memory that idle connections can take stays below 200 MB.
 */
export const MAX_CONNECTIONS = 2_048;
