import sharp from 'sharp'
import type { Test } from 'tap'

/** @returns the pixels that sharp decodes from now on, as they come, until the test ends. */
export function watchDecoding(t: Pick<Test, 'teardown'>): readonly Buffer[] {
  const decoded: Buffer[] = []
  const { toBuffer } = sharp.prototype
  t.teardown(() => {
    sharp.prototype.toBuffer = toBuffer
  })
  sharp.prototype.toBuffer = async function (this: typeof sharp.prototype) {
    const answer = await toBuffer.call(this, { resolveWithObject: true })
    decoded.push(answer.data)
    return answer
  }
  return decoded
}
