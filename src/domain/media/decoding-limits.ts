// What one picture may cost to decode. Measured by `npm run bench decoding` (bench/record/decoding.md).

/**
 * Maximum cost of a picture: processor time, and memory of the decoding process. A slower picture would delay all others. One that needs more memory
 * would first use the time, and then have its process killed.
 */
export const MAX_DECODING_MS = 4000
export const MAX_DECODING_MB = 1100

/**
 * A JPEG in one scan is reduced while it is read: 250 megapixels take about 0.4 s and 25 MB. Other JPEGs, such as progressive ones, are decoded from
 * coefficients that are all in memory: 120 megapixels take 1 to 2 s and up to 700 MB. Other formats are limited by time and memory alone.
 */
export const MAX_JPEG_PIXELS = 250_000_000
export const MAX_PROGRESSIVE_JPEG_PIXELS = 120_000_000

/**
 * Up to this size, WebP, transparent and CMYK pictures are decoded at full size and reduced afterwards, as browsers do it. Their decoders could
 * reduce while they decode, but do so in another order of steps, which gives other hashes of parts. Memory: up to 12 bytes a pixel.
 */
export const MAX_WHOLE_PIXELS = 16_000_000
