// Puts transparent pictures on a background.

/** Viewers show transparent pictures on white and on black: pages and chats have a light and a dark style. */
export const BACKGROUNDS = ['#fff', '#000'] as const
export type Background = (typeof BACKGROUNDS)[number]
export const LEVEL_OF: Readonly<Record<Background, number>> = { '#fff': 255, '#000': 0 }

const OPAQUE = 255

export interface Flattening {
  /** Whether to round to whole levels; otherwise fractions are cut off. True by default. */
  readonly isRounded?: boolean
  /**
   * Whether colours are premultiplied. They are added to the background as they are, even if they are above alpha, which no encoder writes: browsers
   * do the same. False by default.
   */
  readonly isMultiplied?: boolean
}

/**
 * @param rgba red, green, blue and alpha of each pixel, 8 bits each.
 * @param background the level of all of its channels, 0…255.
 * @returns red, green and blue.
 */
export function flattened(
  rgba: Uint8Array,
  background: number,
  { isRounded = true, isMultiplied = false }: Flattening = {},
): Buffer {
  const pixels = rgba.length / 4
  const added = isRounded ? OPAQUE / 2 : 0
  const flat = Buffer.alloc(3 * pixels)
  for (let pixel = 0; pixel < pixels; pixel++) {
    const alpha = rgba[4 * pixel + 3] ?? OPAQUE
    for (let channel = 0; channel < 3; channel++) {
      const level = rgba[4 * pixel + channel] ?? 0
      const shown = (level * (isMultiplied ? OPAQUE : alpha) + background * (OPAQUE - alpha) + added) / OPAQUE
      flat[3 * pixel + channel] = Math.min(OPAQUE, shown)
    }
  }
  return flat
}
