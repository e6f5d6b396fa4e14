// JPEG XL files from libjxl's encoder, some with rewritten headers.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import encode, { init } from '@jsquash/jxl/encode.js'
import type { Orientation, Pixels } from './pictures.js'

type Options = NonNullable<Parameters<typeof encode>[1]>

let ready: Promise<unknown> | undefined

/** @param picture with three channels, or four if `data` is that long. */
export async function jxlOf(
  { data, width, height }: Pixels,
  options: Partial<Options> = { lossless: true, effort: 1 },
): Promise<Buffer> {
  ready ??= WebAssembly.compile(
    readFileSync(fileURLToPath(new URL('./codec/enc/jxl_enc.wasm', import.meta.resolve('@jsquash/jxl/encode.js')))),
  ).then((module) => init(module))
  await ready
  const rgba = new Uint8ClampedArray(4 * width * height)
  if (data.length === rgba.length) rgba.set(data)
  else
    for (let k = 0; k < width * height; k++)
      rgba.set([data[3 * k] ?? 0, data[3 * k + 1] ?? 0, data[3 * k + 2] ?? 0, 255], 4 * k)
  return Buffer.from(await encode({ data: rgba, width, height, colorSpace: 'srgb' }, options))
}

/** In a container, the codestream in one part or several. */
export function inContainer(codestream: Buffer, parts = 1): Buffer {
  const box = (type: string, ...content: Buffer[]) => {
    const body = Buffer.concat(content)
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + body.length, 0)
    head.write(type, 4, 'latin1')
    return Buffer.concat([head, body])
  }
  const start = Buffer.concat([
    box('JXL ', Buffer.from('0d0a870a', 'hex')),
    box('ftyp', Buffer.from('jxl \0\0\0\0jxl ', 'latin1')),
  ])
  if (parts === 1) return Buffer.concat([start, box('jxlc', codestream)])
  const length = Math.ceil(codestream.length / parts)
  const boxes = Array.from({ length: parts }, (_, k) => {
    const index = Buffer.alloc(4)
    index.writeUInt32BE(k === parts - 1 ? 0x8000_0000 + k : k)
    return box('jxlp', index, codestream.subarray(k * length, (k + 1) * length))
  })
  return Buffer.concat([start, ...boxes])
}

/** The same codestream with an orientation. */
export function turnedJxl(codestream: Buffer, orientation: Orientation): Buffer {
  const { header, frames } = split(codestream)
  return Buffer.concat([bytesOf(withExtraFields(header, `${number(orientation - 1, 3)}000`)), frames])
}

/**
 * An animation. @param stills from `jxlOf`, of one size. @param durations under 256. @param isAdded whether each frame is added to the one before, which
 * a decoder has to keep for it.
 */
export function animatedJxl(stills: readonly Buffer[], durations: readonly number[], isAdded = false): Buffer {
  const [first] = stills
  if (first === undefined) throw new RangeError('no picture')
  const ticks = `${'00'}${'00'}${'00'}0` // 100 ticks a second, endless loop, no time codes
  const header = bytesOf(withExtraFields(split(first).header, `000001${ticks}`))
  const frames = stills.map((still, k) => {
    const drawn = !isAdded ? 'alone' : k === 0 ? 'kept' : 'added'
    return shownFor(split(still).frames, durations[k] ?? 1, k === stills.length - 1, drawn)
  })
  return Buffer.concat([header, ...frames])
}

/** Bits in their order in the file: the lowest of a byte first. */
function bitsOf(bytes: Buffer): string {
  return [...bytes].map((byte) => [...byte.toString(2).padStart(8, '0')].reverse().join('')).join('')
}

function bytesOf(bits: string): Buffer {
  const padded = bits.padEnd(8 * Math.ceil(bits.length / 8), '0')
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt([...byte].reverse().join(''), 2)))
}

function number(value: number, bits: number): string {
  return [...value.toString(2).padStart(bits, '0')].reverse().join('')
}

/** The header that jsquash writes has seven to nine bytes; the first frame follows its last bit. */
function split(codestream: Buffer): { readonly header: string; readonly frames: Buffer } {
  const bits = bitsOf(codestream.subarray(0, 64))
  let at = 16
  const isSmall = bits[at++] === '1'
  const side = () => {
    at += isSmall ? 5 : 2 + ([9, 13, 18, 30][Number.parseInt([...bits.slice(at, at + 2)].reverse().join(''), 2)] ?? 0)
  }
  side()
  const hasRatio = bits.slice(at, at + 3) !== '000'
  at += 3
  if (!hasRatio) side()
  const sizeEnd = at
  at += 2 // not all default, no extra fields
  at += 3 + 1 // 8 bits, 16 bits suffice
  at += 2 + 1 // one extra channel, of the usual kind
  at += 1 // XYB
  at += bits[at] === '1' ? 1 : 0 // all default, or the encoding of colours
  if (bits[at - 1] !== '1') throw new Error('another encoder')
  at += 2 + 1 // no extensions, the usual matrix
  return { header: `${bits.slice(0, sizeEnd)}|${bits.slice(sizeEnd, at)}`, frames: codestream.subarray(Math.ceil(at / 8)) }
}

/** @param fields orientation, intrinsic size, preview, animation. */
function withExtraFields(header: string, fields: string): string {
  const [size = '', metadata = ''] = header.split('|')
  const tail = metadata.slice(-3)
  return `${size}01${fields}${metadata.slice(2, -3)}1${tail}` // the usual tone mapping
}

/** How a frame blends its colours and its alpha, and what follows where it is not the last: which reference it is kept as. */
const DRAWN = {
  alone: { blended: '0000', kept: '00' },
  kept: { blended: '0000', kept: '100' },
  added: { blended: '10101010', kept: '10' },
} as const

function shownFor(frame: Buffer, duration: number, isLast: boolean, drawn: keyof typeof DRAWN): Buffer {
  const bits = bitsOf(frame.subarray(0, 64))
  // Not all default, regular, modular; flags; no YCbCr; no upsampling; size of groups; passes; no crop; blending of colours and alpha.
  const flags = bits.slice(4, 6) === '00' ? 2 : bits.slice(4, 6) === '10' ? 6 : 10
  const blendedAt = 4 + flags + 1 + 2 + 2 + 2 + 2 + 1
  const lastAt = blendedAt + 2 + 2
  if (bits.slice(0, 4) !== '0001' || bits[lastAt] !== '1') throw new Error('another encoder')
  // No name, a restoration filter that is off or the usual one, no extensions, no permutation.
  const filter = bits[lastAt + 3] === '1' ? 1 : 1 + 1 + 2 + 2
  const end = lastAt + 1 + 2 + filter + 2 + 1
  const { blended, kept } = DRAWN[drawn]
  const shown = `${blended}01${number(duration, 8)}${isLast ? '1' : `0${kept}`}`
  const header = bytesOf(`${bits.slice(0, blendedAt)}${shown}${bits.slice(lastAt + 1, end)}`)
  return Buffer.concat([header, frame.subarray(Math.ceil(end / 8))])
}
