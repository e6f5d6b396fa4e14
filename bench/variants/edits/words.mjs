// What is written onto pictures that go round.

const WORDS = [
  'look who',
  'guess who this is',
  'send to 5 friends',
  'full album in bio',
  'DM me',
  'leaked',
  'see you soon',
  'hahaha',
  'wait for it',
  'join @channel',
  'omg',
  'so true',
  'when you see it',
]

const NAMES = ['maya_k', 'leo.official', 'xx_nika', 'thereal_sam', 'anna.b', 'user48213', 'm4ri0', 'kate__w']

export function words(random) {
  return random.pick(WORDS)
}

export function userName(random) {
  return random.pick(NAMES)
}
