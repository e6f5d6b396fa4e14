// Makes the edits of a clip, one file at a time, in a temporary folder.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { randomOf } from '../variants/random.mjs'
import { isSameCamera } from './clips.mjs'
import { ffmpeg, probe } from './ffmpeg.mjs'

/** Edits use this much from the middle of a clip, to bound the time of a run. */
const EDITED_S = 12
/** Longer than any edit shows another film. */
const OTHER_S = 10
const MIDDLE =
  "fps=12,scale='if(gt(iw,ih),min(560,iw),-2)':'if(gt(iw,ih),-2,min(560,ih))':flags=area,scale=trunc(iw/2)*2:trunc(ih/2)*2,setsar=1"
const NEARLY_WHOLE = ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-crf', '14', '-threads', '1']

/** A temporary folder for files that one step writes and the next reads. */
export function temporaryFolder(defer) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-video-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * @param clip from clips.mjs; `strangers` are unrelated clips that an edit may show beside it.
 * @returns `make(edit, use)`, which makes an edit of edits.mjs, calls `use` with `{ file, shows, beside }` and removes the file. `shows` has times of the
 *   clip, `beside` the names of the strangers that are shown. It returns `undefined` if the clip is too short. Call `end` after the last edit.
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

/** Two random strangers. */
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
