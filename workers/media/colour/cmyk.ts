// Converts CMYK to RGB without a profile.

/**
 * Converts as browsers do: (1 − ink) × (1 − black), cutting fractions off. The hash equals that of a browser; with the default profile of libvips it
 * would differ by up to 26 bits.
 * @param cmyk cyan, magenta, yellow and black of each pixel.
 * @returns red, green and blue.
 */
export function rgbOfCmyk(cmyk: Uint8Array): Buffer {
  const pixels = cmyk.length / 4
  const rgb = Buffer.alloc(3 * pixels)
  for (let pixel = 0; pixel < pixels; pixel++) {
    const light = FULL - (cmyk[4 * pixel + 3] ?? 0)
    for (let channel = 0; channel < 3; channel++) {
      rgb[3 * pixel + channel] = ((FULL - (cmyk[4 * pixel + channel] ?? 0)) * light) / FULL
    }
  }
  return rgb
}

const FULL = 255
