// Where things lie in the memory of the kernel that opens messages. AssemblyScript; part of gcm.ts.

/** Messages and what they were sealed for. Places in a row are counted from here. */
export const INPUT_BYTES: u32 = 1_081_344
export const INPUT: usize = memory.data(1_081_344, 16)

/** 0x00…0 encrypted under the key that opens now: what GHASH multiplies by. */
export const HASH_KEY: usize = memory.data(16, 16)

/** Counter blocks of all messages that wait, and later what they became when encrypted, message by message. */
export const STREAM_BYTES: u32 = 1_085_440
export const STREAM: usize = memory.data(1_085_440, 16)

/** A row for each message, five numbers of 32 bits. */
export const MAX_ROWS: u32 = 1_024
export const ROWS: usize = memory.data(20_480, 16)
export const ROW_BYTES: usize = 20
/** Which key it waits for, or `OPENED`. */
export const ROW_STATE: usize = 0
/** Where its nonce begins: 12 bytes, then the ciphertext, then 16 bytes of tag. */
export const ROW_NONCE: usize = 4
export const ROW_CIPHERTEXT_BYTES: usize = 8
export const ROW_CONTEXT: usize = 12
export const ROW_CONTEXT_BYTES: usize = 16
/** No key has this number: they are bytes. */
export const OPENED: u32 = 256

export const BLOCK_BYTES: u32 = 16
export const NONCE_BYTES: u32 = 12
