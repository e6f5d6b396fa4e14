// Synthetic pictures for benchmarks: the same each time, of the size that phones take.

import sharp from 'sharp'

/** A JPEG of 4000 × 3000 pixels and about 2 MB. */
export async function largePicture(seed) {
  const width = 1000
  const height = 750
  const data = Buffer.alloc(width * height * 3)
  let state = (seed * 2654435761) >>> 0
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const waves = Array.from({ length: 24 }, () => [random() * 0.03, random() * 0.03, random() * 6.28, 20 + random() * 25])
  const sines = waves.map(([fx]) => Float64Array.from({ length: width }, (_, x) => Math.sin(x * fx)))
  const cosines = waves.map(([fx]) => Float64Array.from({ length: width }, (_, x) => Math.cos(x * fx)))
  const row = new Float64Array(width)
  for (let y = 0; y < height; y++) {
    row.fill(128)
    waves.forEach(([, fy, phase, amplitude], wave) => {
      const ofCosine = amplitude * Math.sin(y * fy + phase) // sin(a + b) = sin a cos b + cos a sin b
      const ofSine = amplitude * Math.cos(y * fy + phase)
      for (let x = 0; x < width; x++) row[x] += ofSine * sines[wave][x] + ofCosine * cosines[wave][x]
    })
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < 3; channel++)
        data[(y * width + x) * 3 + channel] = clamp(row[x] + channel * 12 + random() * 24)
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(4000, 3000, { kernel: 'cubic' })
    .jpeg({ quality: 94 })
    .toBuffer()
}

function clamp(value) {
  return Math.max(0, Math.min(255, Math.round(value)))
}
