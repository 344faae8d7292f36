/** The transports of the data plane, with the flags that ask for each: whatever a peer can do holds on all of them. */
export const TRANSPORTS: readonly { readonly transport: string; readonly flags: readonly string[] }[] = [
  { transport: "grpc-js", flags: [] },
];
