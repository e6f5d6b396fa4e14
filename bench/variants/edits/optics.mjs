// What a camera sees of a screen.

const OUTSIDE = 14 // grey of what lies beside the screen

/** Seen from a little aside: each corner is moved by up to `jitter` of the sides. */
export function seenAskew({ data, width, height }, random, jitter) {
  const seen = homography(corners(random, jitter))
  const out = Buffer.alloc(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = seen((x + 0.5) / width, (y + 0.5) / height)
      blend(data, width, height, from.x * width - 0.5, from.y * height - 0.5, out, (y * width + x) * 3)
    }
  }
  return { data: out, width, height }
}

function corners(random, jitter) {
  const moved = (share) => share + (random() - 0.5) * 2 * jitter - (share ? -1 : 1) * jitter * 0.4
  return [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ].map(([x, y]) => [moved(x), moved(y)])
}

/**
 * @returns the map from the unit square to a quadrilateral.
 * @see Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3.
 */
function homography([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]) {
  const [dx1, dx2, dx3] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3]
  const [dy1, dy2, dy3] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3]
  const determinant = dx1 * dy2 - dx2 * dy1
  const g = (dx3 * dy2 - dx2 * dy3) / determinant
  const h = (dx1 * dy3 - dx3 * dy1) / determinant
  const [a, b, c] = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0]
  const [d, e, f] = [y1 - y0 + g * y1, y3 - y0 + h * y3, y0]
  return (u, v) => {
    const z = g * u + h * v + 1
    return { x: (a * u + b * v + c) / z, y: (d * u + e * v + f) / z }
  }
}

/** The pixel between four, or what lies beside the picture. */
function blend(data, width, height, x, y, out, to) {
  if (x < 0 || y < 0 || x >= width - 1 || y >= height - 1) {
    out.fill(OUTSIDE, to, to + 3)
    return
  }
  const [left, top] = [Math.trunc(x), Math.trunc(y)]
  const [right, down] = [x - left, y - top]
  const above = (top * width + left) * 3
  const below = above + width * 3
  for (let c = 0; c < 3; c++) {
    const upper = data[above + c] * (1 - right) + data[above + 3 + c] * right
    const lower = data[below + c] * (1 - right) + data[below + 3 + c] * right
    out[to + c] = upper * (1 - down) + lower * down
  }
}

/** Moiré, columns of red, green and blue, uneven light, another white. */
export function onScreen({ data, width, height }, random) {
  const out = Buffer.alloc(data.length)
  const [f1, f2] = [0.11 + random() * 0.05, 0.13 + random() * 0.05]
  const angle = random() * Math.PI
  const [slopeX, slopeY] = [(random() - 0.5) * 0.5, (random() - 0.5) * 0.5]
  const white = [1 + (random() - 0.5) * 0.12, 1, 1 + (random() - 0.5) * 0.16]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3
      const along = Math.sin(2 * Math.PI * f1 * (x * Math.cos(angle) + y * Math.sin(angle)))
      const moire = 1 + 0.07 * along * Math.sin(2 * Math.PI * f2 * (x - 0.3 * y))
      const light = 0.92 + slopeX * (x / width - 0.5) + slopeY * (y / height - 0.5)
      for (let c = 0; c < 3; c++) {
        const column = x % 3 === c ? 1.06 : 0.97
        out[at + c] = Math.min(255, data[at + c] * moire * light * column * white[c] + 8)
      }
    }
  }
  return { data: out, width, height }
}
