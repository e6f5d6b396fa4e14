// How many shards the large tables have. The scripts compute the same shard of an id.

/**
 * Shards of the image table. A shard is small enough to be read whole while others write, and for Redis to store it as a packed list
 * (`embedded-redis.ts`). A power of two, at most 65,536.
 */
export const IMAGE_SHARDS = 32_768

/** Shards of image details. Their values are larger than images, so shards need not be as small. A power of two. */
export const DETAIL_SHARDS = 1024

/** Shards of watches. A power of two, at most 65,536. */
export const WATCH_SHARDS = 4096
