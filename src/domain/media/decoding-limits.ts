// What one picture may cost to decode. Measured by `npm run bench:decoding` (bench/record/decoding.md).

/** Highest cost of a picture. One beyond would delay all others, or its process would be killed for its memory after that time. */
export const MAX_DECODING_MS = 4000
export const MAX_DECODING_MB = 1100

/**
 * A JPEG file in one scan is reduced while it is read: 250 megapixels take 0.35 s and 21 MB. Other JPEG files, such as progressive ones, are held as
 * coefficients: 120 megapixels take 1.4 s and 700 MB. Pictures in other formats are limited by time and memory alone.
 */
export const MAX_JPEG_PIXELS = 250_000_000
export const MAX_PROGRESSIVE_JPEG_PIXELS = 120_000_000

/**
 * Up to here a WebP, a picture with transparency, and one in CMYK are decoded at their full size and then reduced, as on a device: their own
 * decoders reduce in another order, and then hashes of parts differ. It takes up to 12 bytes a pixel, which any file may cost.
 */
export const MAX_WHOLE_PIXELS = 16_000_000
