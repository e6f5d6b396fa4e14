// Edits that people make before they share a video, as ffmpeg filters. Each edit draws sizes, positions and strengths for each clip.

import { chat } from './chats.mjs'
import { caption, moire, sticker } from './drawings.mjs'
import { filled, fitted } from './stories.mjs'

const EVEN = 'scale=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1'
const X264 = ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1']
const VIDEO = [...X264, '-crf', '28']
const STILL = ['-frames:v', '1', '-q:v', '5']
const MAX_GIF_S = 8
/** An excerpt must be shorter than the clip. */
const MIN_LEFT_OUT_S = 1.5
const BETWEEN_S = 5
const SLIDES = 4
const DESKS = ['0x5a4a3a', '0x2c3138', '0x8d8478', '0x141210', '0xb9b4ac']

/**
 * `make(clip, random, others)` returns, for a clip of `{ width, height, durationMs }` and two unrelated clips:
 * - `graph`: filters from the clip `[0:v]` and further inputs to `[out]`;
 * - `drawn`: SVGs to draw over it, and `files`, other clips: inputs 1 and so on;
 * - `output`: options of the encoder, and `extension`;
 * - `shows`: when the edit shows which part of the clip, `{ fromMs, toMs, atMs, speed }`: at `fromMs + x` it shows `atMs + speed × x`;
 * or `undefined` if the clip is too short.
 */
export const EDITS = [
  edit('low', ({ random }) => {
    const rate = random.int(60, 110)
    return {
      graph: `[0:v]${long(random.int(360, 460))}[out]`,
      output: [...X264, '-b:v', `${rate}k`, '-maxrate', `${rate * 1.3}k`, '-bufsize', `${rate * 2}k`],
    }
  }),
  edit('240p', ({ clip, random }) => {
    const size = clip.width >= clip.height ? '-2:240' : '240:-2'
    return { graph: `[0:v]scale=${size}:flags=${random.pick(['bicubic', 'bilinear', 'lanczos'])},setsar=1[out]` }
  }),
  edit('fps', ({ random }) => ({ graph: `[0:v]fps=${random.pick([5, 8, 10, 24])}[out]` })),
  edit('crop10', ({ random }) => ({ graph: crop(random, 0.9) })),
  edit('crop20', ({ random }) => ({ graph: crop(random, 0.8) })),
  edit('letterbox', ({ clip, random }) => {
    const [w, h] = upright(clip) ? [640, 360] : [360, random.int(225, 390) * 2]
    const colour = random.pick(['black', 'black', 'white', '0x222222'])
    return { graph: `[0:v]${contain(w, h)},pad=${w}:${h}:-1:-1:${colour}[out]` }
  }),
  edit('blurpad', ({ clip, random }) => {
    const [w, h] = upright(clip) ? [640, 360] : [360, 640]
    return { graph: `${blurred(random, '[0:v]', w, h)};[1b][1f]overlay=(W-w)/2:(H-h)/2[out]` }
  }),
  edit('mirror', () => ({ graph: '[0:v]hflip[out]' })),
  edit('caption', ({ clip, random }) => {
    const w = upright(clip) ? 340 : 520
    const h = 2 * Math.round((w * clip.height) / clip.width / 2)
    const bar = 2 * Math.round((h * (0.12 + 0.08 * random())) / 2)
    const [size, isAbove] = [Math.round(w * (0.17 + 0.07 * random())), random() < 0.5]
    const [x, y] = [(w - size) * random(), (h - size) * random() + (isAbove ? bar : 0)].map(Math.round)
    const [padded, at] = isAbove ? [bar, 0] : [0, h]
    return {
      drawn: [caption(random, w, bar), sticker(random, size)],
      graph: `[0:v]scale=${w}:${h},pad=${w}:${h + bar}:0:${padded}[v];[v][1:v]overlay=0:${at}[c];[c][2:v]overlay=${x}:${y}[out]`,
    }
  }),
  edit('chat', ({ clip, random }) => onScreen(chat(random, clip), random)),
  edit('story-filled', ({ random }) => onScreen(filled(random), random)),
  edit('story-fitted', ({ clip, random }) => onScreen(fitted(random, clip), random)),
  edit('excerpt-3s', (context) => excerpt(context, 3)),
  edit('excerpt-5s', (context) => excerpt(context, 5)),
  edit('excerpt-10s', (context) => excerpt(context, 10)),
  edit('speed-1.25', ({ clip }) => faster(clip, 1.25)),
  edit('speed-1.5', ({ clip }) => faster(clip, 1.5)),
  edit('bright', ({ random }) => {
    const sign = random.pick([1, -1])
    return {
      graph: `[0:v]eq=brightness=${sign * (0.07 + 0.06 * random())}:contrast=${1 + 0.3 * random()}:saturation=${1.2 + 0.5 * random()}[out]`,
    }
  }),
  edit('grey', ({ random }) => ({
    graph: `[0:v]hue=s=0,eq=contrast=${0.75 + 0.2 * random()}:brightness=${0.1 * random() - 0.05}[out]`,
  })),
  edit('filmed', ({ clip, random }) => filmed(clip, random)),
  edit('reversed', ({ clip }) => {
    return {
      graph: `[0:v]${long(426)},reverse[out]`,
      shows: [{ fromMs: 0, toMs: clip.durationMs, atMs: clip.durationMs, speed: -1 }],
    }
  }),
  edit('gif', ({ clip, random }) => {
    const scale = `fps=${random.pick([5, 8, 10])},scale=${random.int(120, 180) * 2}:-2:flags=lanczos,setsar=1`
    const colours = `palettegen=max_colors=${random.pick([64, 128, 256])}`
    const graph = `[0:v]trim=end=${MAX_GIF_S},${scale},split[a][b];[a]${colours}[p];[b][p]paletteuse=dither=${random.pick(['bayer', 'sierra2_4a', 'none'])}[out]`
    return {
      graph,
      output: [],
      extension: 'gif',
      shows: [{ fromMs: 0, toMs: Math.min(1000 * MAX_GIF_S, clip.durationMs), atMs: 0, speed: 1 }],
    }
  }),
  edit('still', (context) => still(context, { graph: `[0:v]${long(context.random.int(420, 560))}[out]` }), {
    isStill: true,
  }),
  edit('still-chat', (context) => still(context, onScreen(chat(context.random, context.clip), context.random)), {
    isStill: true,
  }),
  edit('between', (context) => between(context), { usesOthers: true }),
  edit('slideshow', ({ clip, random }) => slideshow(clip, random)),
]

/** @returns the edit, with defaults for absent fields. */
function edit(id, make, { isStill = false, usesOthers = false } = {}) {
  return {
    id,
    isStill,
    usesOthers,
    make(clip, random, others) {
      const made = make({ clip, random, others })
      if (made === undefined) return undefined
      const shows = [{ fromMs: 0, toMs: clip.durationMs, atMs: 0, speed: 1 }]
      return {
        drawn: [],
        files: [],
        extension: 'mp4',
        output: VIDEO,
        shows,
        ...made,
        graph: made.graph.replace(/\[out\]$/, `,${EVEN}[out]`),
      }
    },
  }
}

function upright({ width, height }) {
  return width < height
}

function long(px) {
  return `scale='if(gt(iw,ih),${px},-2)':'if(gt(iw,ih),-2,${px})':flags=area,setsar=1`
}

function contain(w, h) {
  return `scale=${w}:${h}:force_original_aspect_ratio=decrease,setsar=1`
}

function cover(w, h) {
  return `scale=${w}:${h}:force_original_aspect_ratio=increase,crop=${w}:${h},setsar=1`
}

/** Crops to that share of each side, at a random position. */
function crop(random, share) {
  const [x, y] = [(1 - share) * random(), (1 - share) * random()]
  return `[0:v]crop=trunc(iw*${share}/2)*2:trunc(ih*${share}/2)*2:iw*${x}:ih*${y}[out]`
}

/** @returns filters that give `[1b]`, the clip as a blurred background of that size, and `[1f]`, the whole clip. */
function blurred(random, from, w, h) {
  const [small, low] = [Math.round(w / 4), Math.round(h / 4)]
  const dark = random() < 0.5 ? `,eq=brightness=${-0.1 - 0.15 * random()}` : ''
  return `${from}split[b][f];[b]${cover(small, low)},boxblur=${random.int(4, 8)}:2,scale=${w}:${h}${dark},setsar=1[1b];[f]${contain(w, h)}[1f]`
}

/** @param layout from screens.mjs */
function onScreen({ width, height, ground, box, over }, random) {
  const drawn = [over]
  const last = '[s];[s][1:v]overlay=0:0[out]'
  if (ground === 'blur') {
    const at = `overlay=${box.x}:${box.y}`
    const sized = blurred(random, '[0:v]', width, height).replace(/\[f\]scale.*$/, `[f]${cover(box.w, box.h)}[1f]`)
    return { drawn, graph: `${sized};[1b][1f]${at}${last}` }
  }
  return {
    drawn,
    graph: `[0:v]${cover(box.w, box.h)},pad=${width}:${height}:${box.x}:${box.y}:${ground.replace('#', '0x')}${last}`,
  }
}

function excerpt({ clip, random }, seconds) {
  const lengthMs = 1000 * seconds
  if (clip.durationMs < lengthMs + 1000 * MIN_LEFT_OUT_S) return undefined
  const atMs = Math.round((clip.durationMs - lengthMs) * random())
  const graph = `[0:v]trim=start=${atMs / 1000}:end=${atMs / 1000 + seconds},setpts=PTS-STARTPTS,${long(426)}[out]`
  return { graph, shows: [{ fromMs: 0, toMs: lengthMs, atMs, speed: 1 }] }
}

function faster({ durationMs }, speed) {
  return { graph: `[0:v]setpts=PTS/${speed},fps=15[out]`, shows: [{ fromMs: 0, toMs: durationMs / speed, atMs: 0, speed }] }
}

/** A screen on a desk, filmed from the side with a hand-held camera and unsteady exposure. */
function filmed(clip, random) {
  const [w, h] = upright(clip) ? [352, 560] : [560, 352]
  const share = 0.7 + 0.22 * random()
  const bezel = 2 * random.int(2, 8)
  const desk = random.pick(DESKS)
  const off = () => (0.08 * random() - 0.04).toFixed(4)
  const corners = `perspective=x0=W*${off()}:y0=H*${off()}:x1=W*(1+${off()}):y1=H*${off()}:x2=W*${off()}:y2=H*(1+${off()}):x3=W*(1+${off()}):y3=H*(1+${off()}):sense=destination`
  const turn = `rotate=${(((6 * random() - 3) * Math.PI) / 180).toFixed(4)}:fillcolor=${desk}`
  const light = `eq=brightness=${(0.12 * random() - 0.04).toFixed(3)}:contrast=${(0.7 + 0.25 * random()).toFixed(3)}:gamma=${(1 + 0.25 * random()).toFixed(3)}:saturation=0.8`
  const set = `scale=${Math.round(w * share)}:${Math.round(h * share)}:force_original_aspect_ratio=decrease,pad=iw+${bezel}:ih+${bezel}:${bezel / 2}:${bezel / 2}:black,pad=${w}:${h}:-1:-1:${desk}`
  return {
    drawn: [moire(random, w, h)],
    graph: `[0:v]${set}[s];[s][1:v]overlay=0:0,${corners},${turn},${light},noise=alls=${random.int(6, 12)}:allf=t,gblur=${(0.5 + 0.5 * random()).toFixed(2)}[out]`,
  }
}

function still({ clip, random }, { graph, drawn = [] }) {
  const atMs = Math.round(clip.durationMs * (0.1 + 0.8 * random()))
  const trim = `[0:v]trim=start=${atMs / 1000},setpts=PTS-STARTPTS,`
  return {
    graph: graph.replace('[0:v]', trim),
    drawn,
    output: STILL,
    extension: 'jpg',
    shows: [{ fromMs: 0, toMs: 1000, atMs, speed: 1 }],
  }
}

function between({ clip: { durationMs }, random, others: [first, second] }) {
  if (durationMs < 1000 * BETWEEN_S || second === undefined) return undefined
  const atMs = Math.round((durationMs - 1000 * BETWEEN_S) * random())
  const before = Math.min(random.int(2, 4), first.durationMs / 1000)
  const after = random.int(3, 8)
  const [w, h] = random.pick([
    [480, 360],
    [560, 316],
    [360, 480],
  ])
  const one = (input, start, seconds, name) =>
    `[${input}:v]trim=start=${start}:end=${start + seconds},setpts=PTS-STARTPTS,fps=12,${contain(w, h)},pad=${w}:${h}:-1:-1,setsar=1,format=yuv420p[${name}]`
  const parts = [one(1, 0, before, 'a'), one(0, atMs / 1000, BETWEEN_S, 'b'), one(2, 0, after, 'c')]
  return {
    files: [first.file, second.file],
    graph: `${parts.join(';')};[a][b][c]concat=n=3:v=1[out]`,
    shows: [{ fromMs: 1000 * before, toMs: 1000 * (before + BETWEEN_S), atMs, speed: 1 }],
  }
}

/** Four stills in the order of the film, each shown for some time. */
function slideshow({ durationMs }, random) {
  const times = Array.from({ length: SLIDES }, () => Math.round(durationMs * (0.03 + 0.9 * random()))).sort((a, b) => a - b)
  const seconds = random.int(3, 5) / 2
  const slides = times.map(
    (atMs, i) =>
      `[s${i}]trim=start=${atMs / 1000},select='eq(n,0)',setpts=PTS-STARTPTS,${contain(480, 480)},pad=480:480:-1:-1,setsar=1,loop=loop=${10 * seconds - 1}:size=1:start=0,setpts=N/10/TB,fps=10[l${i}]`,
  )
  const names = (letter) => times.map((_, i) => `[${letter}${i}]`).join('')
  return {
    graph: `[0:v]split=${SLIDES}${names('s')};${slides.join(';')};${names('l')}concat=n=${SLIDES}:v=1[out]`,
    shows: times.map((atMs, i) => ({ fromMs: 1000 * seconds * i, toMs: 1000 * seconds * (i + 1), atMs, speed: 0 })),
  }
}
