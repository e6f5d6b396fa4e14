// Videos of an episode. A hash name that begins with `v` stands for a video; its first frame has that hash.

const FRAMES = 3
const FRAME_MS = 2000

export function isVideo(hash: string): boolean {
  return hash.startsWith('v')
}

/** The names of the hashes of a thing: one for each frame. */
export function framesOf(hash: string): readonly string[] {
  return isVideo(hash) ? Array.from({ length: FRAMES }, (_, i) => (i === 0 ? hash : `${hash} frame ${i}`)) : [hash]
}

/** A video as it is handed in, or asked about. */
export function filmOf(hash: string, hashOf: (name: string) => string) {
  const frames = framesOf(hash).map((name, i) => ({
    atMs: i * FRAME_MS,
    signals: [{ type: 'pdq', hash: hashOf(name), quality: 100 }],
  }))
  return { durationMs: FRAMES * FRAME_MS, frames }
}

interface Told {
  readonly matchId: string
  readonly tier: string
  readonly disputed: boolean
  readonly atMs?: number | undefined
  readonly segments?: readonly { readonly frames: number }[] | undefined
}

/** What is odd about the answers to the stills of a video, and to the video; `undefined` when they are as of one thing. */
export function oddityOf(hash: string, stills: readonly (readonly Told[])[], film: readonly Told[]): string | undefined {
  const factsOf = (told: readonly Told[]) =>
    told
      .map(({ matchId, tier, disputed }) => `${matchId.slice(0, 8)} ${tier} ${disputed}`)
      .sort()
      .join()
  const expected = factsOf(stills[0] ?? [])
  const odd = [...stills, film].findIndex((told) => factsOf(told) !== expected)
  if (odd >= 0)
    return `${hash}: its first frame is answered with ${expected || 'nothing'}, ${odd < FRAMES ? `frame ${odd}` : 'the video'} otherwise`
  const misplaced = stills.findIndex((told, i) => told.some(({ atMs }) => atMs !== i * FRAME_MS))
  if (misplaced >= 0) return `${hash}: frame ${misplaced} is told with another moment`
  const isWhole = film.every(({ segments }) => segments?.[0]?.frames === FRAMES)
  return isWhole ? undefined : `${hash}: the video is told without a segment of all its frames`
}
