// The page behind a proxy that does one thing wrong, once: test/line.
//
//   npm run fuzz:page -- [--seconds 60 | --cases 100] [--seed 1] [--all] [--case NAME] [--list]
//
// Each journey × each of its requests × each fault. `--case` runs all whose name begins so. Status 1 when what the page says is
// not what the store holds, or when it does not recover.

import '../dist/test/line/page.js'
