// Bugs that were there once, put back one at a time by fuzz/mutate-history.mjs, which looks whether `npm run fuzz:history` finds each. An entry:
//
//   {
//     why: 'a put of an unchanged image takes a new ordinal', // what the bug is called; `--only` looks for words in it
//     only: 'imports', ignore: '', seconds: 600, seed: 1, // as `npm run fuzz:history` takes them
//     changes: [{ file: 'src/services/catalogue.ts', from: 'what stands there once', to: 'what was wrong' }],
//   }
//
// All changes of an entry are made together.

/** None until the bugs that they are copies of are fixed. */
export const mutations = []
