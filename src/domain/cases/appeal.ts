// What an appeal can be about: something that keeps a picture from being registered because it was judged harmless.

/** A picture that is kept and vetoes, by its id; or the block that is left of one, by its digest in hex. */
export type Appealed = { readonly signalId: string } | { readonly blockId: string }

export const BLOCK_ID_PATTERN = /^[0-9a-f]{32}$/
