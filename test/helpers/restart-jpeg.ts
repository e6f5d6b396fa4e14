// A JPEG with restart markers, as many cameras write them and sharp cannot.

const BLOCK = 8
const RESTART = 0xd0

/** @param levels of grey, 0…255, one for each block of 8 × 8 pixels. @param interval blocks between restart markers. */
export function restartJpeg(levels: readonly number[], columns: number, interval: number): Buffer {
  const rows = levels.length / columns
  const scan: number[] = []
  let bits = ''
  let before = 0
  const flush = () => {
    for (let at = 0; at < bits.length; at += 8) {
      const byte = Number.parseInt(bits.slice(at, at + 8).padEnd(8, '1'), 2)
      scan.push(byte, ...(byte === 0xff ? [0] : []))
    }
    bits = ''
  }
  levels.forEach((level, k) => {
    if (k > 0 && k % interval === 0) {
      flush()
      scan.push(0xff, RESTART + ((k / interval - 1) % 8))
      before = 0
    }
    const change = level - 128 - before
    before = level - 128
    const size = change === 0 ? 0 : Math.floor(Math.log2(Math.abs(change))) + 1
    const value = change < 0 ? change + 2 ** size - 1 : change
    bits += `${size.toString(2).padStart(4, '0')}${size === 0 ? '' : value.toString(2).padStart(size, '0')}0`
  })
  flush()
  const twelveOfFourBits = [0, 0, 0, 12, ...Array<number>(12).fill(0), ...Array.from({ length: 12 }, (_, k) => k)]
  const endOfBlock = [1, ...Array<number>(15).fill(0), 0]
  const [width, height] = [BLOCK * columns, BLOCK * rows]
  return Buffer.from([
    ...[0xff, 0xd8],
    ...segment(0xdb, [0, ...Array<number>(64).fill(BLOCK)]),
    ...segment(0xc0, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0]),
    ...segment(0xc4, [0x00, ...twelveOfFourBits]),
    ...segment(0xc4, [0x10, ...endOfBlock]),
    ...segment(0xdd, [interval >> 8, interval & 0xff]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...scan,
    ...[0xff, 0xd9],
  ])
}

function segment(marker: number, content: readonly number[]): number[] {
  return [0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 0xff, ...content]
}
