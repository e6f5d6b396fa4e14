import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import { findFfmpeg } from '../../../../workers/media/video/find-ffmpeg.js'

const says = (major: number, minor: number) =>
  `echo ffmpeg version N-1-gabc; echo 'libavutil      1. 2.3'; echo 'libavcodec     ${major}. ${minor}.100 / ${major}. ${minor}.100'`

function folderWith(t: Test, script?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-ffmpeg-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  if (script !== undefined) writeFileSync(join(folder, 'ffmpeg'), `#!/bin/sh\n${script}\n`)
  if (script !== undefined) chmodSync(join(folder, 'ffmpeg'), 0o755)
  return folder
}

t.test('PATH is searched in its order, then the usual folders; a broken binary is skipped', async (t) => {
  const [broken, first, second] = [folderWith(t, 'exit 127'), folderWith(t, says(61, 19)), folderWith(t, says(60, 3))]
  const searchPath = ['/nowhere', broken, first, second].join(delimiter)
  t.same(findFfmpeg({ searchPath, usualFolders: [second] }), { binary: join(first, 'ffmpeg'), version: '61.19' })
  t.same(findFfmpeg({ searchPath: '', usualFolders: [second] }), { binary: join(second, 'ffmpeg'), version: '60.3' })
  t.equal(findFfmpeg({ searchPath: broken, usualFolders: [] }), undefined)
})

t.test('an explicit TABIR_FFMPEG is never replaced by another binary', async (t) => {
  const found = folderWith(t, says(61, 19))
  const choose = (folder: string) => findFfmpeg({ ffmpegBin: join(folder, 'ffmpeg'), searchPath: found })
  t.same(choose(found), { binary: join(found, 'ffmpeg'), version: '61.19' })
  t.throws(() => choose('/nowhere'), /TABIR_FFMPEG does not name/)
  t.throws(() => choose(folderWith(t, 'exit 1')), /TABIR_FFMPEG does not name/)
  t.throws(() => choose(folderWith(t, 'echo another program')), /TABIR_FFMPEG does not name/)
  t.throws(() => choose(folderWith(t, says(58, 134))), /too old. Version 5.1 or later/)
})

t.test('an outdated binary is skipped, and reported if there is no other', async (t) => {
  const [old, fresh] = [folderWith(t, says(59, 36)), folderWith(t, says(59, 37))]
  t.match(findFfmpeg({ searchPath: [old, fresh].join(delimiter), usualFolders: [] }), { version: '59.37' })
  t.throws(() => findFfmpeg({ searchPath: old, usualFolders: [] }), /too old. Version 5.1 or later/)
})

t.test('a binary that does not answer in time is not taken for none', async (t) => {
  const searchPath = folderWith(t, 'exec sleep 60')
  t.throws(
    () => findFfmpeg({ searchPath, usualFolders: [], limitMs: 50 }),
    /did not end within 0.05 s. Is this machine overloaded/,
  )
})
