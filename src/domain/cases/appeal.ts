// The subject of an appeal: what keeps a picture from being registered after it was judged harmless.

/** Either an image that is kept as an allowlist entry, by its id; or the resubmission block that remains of a deleted one, by its digest in hex. */
export type Appealed = { readonly signalId: string } | { readonly blockId: string }

/** An appeal that is granted ends. */
export const APPEAL_STATES = ['open', 'denied'] as const
export type AppealState = (typeof APPEAL_STATES)[number]

export const BLOCK_ID_PATTERN = /^[0-9a-f]{32}$/
