// Makes the edits of a clip, one file after the other, in a folder that is removed.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { randomOf } from '../variants/random.mjs'
import { isSameCamera } from './clips.mjs'
import { ffmpeg, probe } from './ffmpeg.mjs'

/** Edits are of this much, from the middle of a clip: it bounds what a run takes. */
const EDITED_S = 12
/** More than an edit shows of another film. */
const OTHER_S = 10
const MIDDLE =
  "fps=12,scale='if(gt(iw,ih),min(560,iw),-2)':'if(gt(iw,ih),-2,min(560,ih))':flags=area,scale=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1"
const NEARLY_WHOLE = ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-crf', '14', '-threads', '1']

/** A folder for files that one step writes and the next reads. */
export function temporaryFolder(defer) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-video-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * @param clip of clips.mjs; `strangers` are others that may be shown beside it.
 * @returns `make(edit, use)`: makes an edit of edits.mjs and removes its file after `use`, which is given `{ file, shows, beside }`: `shows` in times of the
 *   clip, and the names of the strangers that it shows. `undefined` if the clip is too short. Call `end` after the last.
 */
export function makerOf(clip, { strangers, folder, seed }) {
  let middle
  return {
    async make(edit, use) {
      middle ??= await middleOf(clip, folder)
      const random = randomOf(`${seed}:${clip.name}:${edit.id}`)
      const others = edit.usesOthers ? chosen(random, strangersTo(clip, strangers)) : []
      const made = edit.make(middle, random, others)
      if (made === undefined) return undefined
      const file = join(folder, `edit.${made.extension}`)
      const drawn = await Promise.all(made.drawn.map((drawing, i) => drawnTo(join(folder, `drawn-${i}.png`), drawing)))
      const inputs = [middle.file, ...drawn].flatMap((input) => ['-i', input])
      const films = made.files.flatMap((input) => ['-t', OTHER_S, '-i', input])
      await ffmpeg([...inputs, ...films, '-filter_complex', made.graph, '-map', '[out]', ...made.output, file])
      const shows = made.shows.map((part) => ({ ...part, atMs: part.atMs + middle.startMs }))
      try {
        return await use({ file, shows, beside: others.map(({ name }) => name) })
      } finally {
        rmSync(file)
      }
    },
    end() {
      if (middle !== undefined) rmSync(middle.file)
    },
  }
}

async function middleOf(clip, folder) {
  const file = join(folder, 'middle.mp4')
  const startMs = Math.max(0, (clip.durationMs - 1000 * EDITED_S) / 2)
  await ffmpeg(['-ss', startMs / 1000, '-i', clip.file, '-t', EDITED_S, '-vf', MIDDLE, ...NEARLY_WHOLE, file])
  return { file, startMs, ...(await probe(file)) }
}

function strangersTo(clip, films) {
  return films.filter((other) => other.name !== clip.name && !isSameCamera(other, clip))
}

/** Two of them. */
function chosen(random, strangers) {
  if (strangers.length < 2) return []
  const first = random.int(0, strangers.length - 1)
  const second = (first + random.int(1, strangers.length - 1)) % strangers.length
  return [strangers[first], strangers[second]]
}

async function drawnTo(file, drawing) {
  await sharp(drawing).png({ compressionLevel: 1 }).toFile(file)
  return file
}
