// Pictures in CMYK, without the profile that they may have.

/**
 * What browsers show of them: each ink and black take their share of light away, and fractions are cut off. With the default profile of libvips the
 * hash is up to 26 bits away from a browser's, without it none.
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
