// Pictures with a thousand frames in them, and empty ones: the upper bound of what the search for frames costs.

const [WIDTH, HEIGHT] = [1400, 1060] // the largest that are hashed as they are

/** By name, as they are decoded. */
export function oddPictures() {
  const random = randomBytes()
  return {
    'a chessboard': drawn((x, y) => (((x >> 5) + (y >> 5)) % 2 === 0 ? 20 : 230)),
    'a spreadsheet': drawn((x, y) => (x % 90 < 2 || y % 24 < 2 ? 60 : 250)),
    'a contact sheet of 400 pictures': drawn((x, y) => (x % 70 < 6 || y % 53 < 6 ? 255 : textureOf(x, y))),
    'frames in frames': drawn((x, y) => (Math.min(x, y, WIDTH - 1 - x, HEIGHT - 1 - y) % 30 < 15 ? 220 : 40)),
    'a frame around nothing': drawn((x, y) => (Math.min(x, y, WIDTH - 1 - x, HEIGHT - 1 - y) < 60 ? 240 : 30)),
    noise: drawn(random),
    nothing: drawn(() => 128),
  }
}

function drawn(levelAt) {
  const data = new Uint8Array(3 * WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) data.fill(levelAt(x, y), 3 * (y * WIDTH + x), 3 * (y * WIDTH + x) + 3)
  return { data, width: WIDTH, height: HEIGHT, channels: 3 }
}

/** A different picture in each cell. */
function textureOf(x, y) {
  const cell = 31 * Math.floor(x / 70) + 17 * Math.floor(y / 53)
  return Math.imul(cell + (x >> 2) * (y >> 2), 2_654_435_761) >>> 24
}

function randomBytes() {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  }
}
