// Into how many parts tables are divided that would be too large as one. The scripts compute the same shard of an id.

/**
 * Shards of the image table: small enough to be read whole, one at a time, while others write, and to be kept by Redis as
 * packed lists (`embedded-redis.ts`). A power of two, at most 65,536.
 */
export const IMAGE_SHARDS = 32_768

/** Of larger values than images' own, so shards need not be small. A power of two. The scripts compute the same. */
export const DETAIL_SHARDS = 1024

/** Shards of what is watched for. A power of two, at most 65,536. */
export const WATCH_SHARDS = 4096
