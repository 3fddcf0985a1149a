// Recomputes the log in the reader's browser: RFC 6962 over C2SP tlog-tiles, by SubtleCrypto alone.
// What is compared are hashes that are public; the key that is pinned is typed, used and forgotten.

const WIDTH = 256
// Up to here every entry's hash is fetched; behind it, the roots of full tiles stand for their 256 entries.
const MOST_TILES = 64

const select = (query, root = document) => root.querySelector(query)
const isCapable = Boolean(globalThis.crypto?.subtle)

const join = (...parts) => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)))
const leafHash = (body) => sha256(Uint8Array.of(0), body)
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right)
const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
const isEqual = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at])

// Perfect subtrees from the left, each with its height; two of one height become one.
async function grow(peaks, hash, height) {
  let top = { hash, height }
  while (peaks.length && peaks.at(-1).height === top.height) {
    top = { hash: await nodeHash(peaks.pop().hash, top.hash), height: top.height + 1 }
  }
  peaks.push(top)
}

async function rootOf(peaks) {
  if (!peaks.length) return sha256()
  let root = peaks.at(-1).hash
  for (const peak of peaks.slice(0, -1).reverse()) root = await nodeHash(peak.hash, root)
  return root
}

function tilePath(level, number, width) {
  let path = String(number % 1000).padStart(3, "0")
  for (let rest = Math.floor(number / 1000); rest; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`
  }
  return `/log/tile/${level}/${path}${width === WIDTH ? "" : `.p/${width}`}`
}

async function tile(level, number, width) {
  const answer = await fetch(tilePath(level, number, width), { credentials: "omit" })
  const bytes = new Uint8Array(await answer.arrayBuffer())
  if (!answer.ok || bytes.length !== width * 32) throw new Error("no such tile")
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
}

// The tree of `size` from the published tiles; the tile of the entry `opened` is always opened down to its leaves.
async function treeOf(size, opened = -1) {
  const full = Math.floor(size / WIDTH)
  const peaks = []
  let above = []
  for (let number = 0; number < full; number++) {
    if (full <= MOST_TILES || number === Math.floor(opened / WIDTH)) {
      const leaves = []
      for (const hash of await tile(0, number, WIDTH)) await grow(leaves, hash, 0)
      await grow(peaks, leaves[0].hash, 8)
    } else {
      if (!above.length || number % WIDTH === 0) {
        const start = Math.floor(number / WIDTH)
        above = await tile(1, start, Math.min(WIDTH, full - start * WIDTH))
      }
      await grow(peaks, above[number % WIDTH], 8)
    }
  }
  if (size % WIDTH) for (const hash of await tile(0, full, size % WIDTH)) await grow(peaks, hash, 0)
  return { root: await rootOf(peaks), isFromLeaves: full <= MOST_TILES }
}

// RFC 9162 section 2.1.3.2: as many hashes as such a proof has, and the root, or it proves nothing.
async function isIncluded(index, size, leaf, proof, root) {
  let place = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (!last) return false
    if (place % 2 || place === last) {
      hash = await nodeHash(sibling, hash)
      while (place % 2 === 0 && place) {
        place = Math.floor(place / 2)
        last = Math.floor(last / 2)
      }
    } else {
      hash = await nodeHash(hash, sibling)
    }
    place = Math.floor(place / 2)
    last = Math.floor(last / 2)
  }
  return !last && isEqual(hash, root)
}

function parse(checkpoint) {
  const [origin, size, root] = checkpoint.trim().split("\n").map((line) => line.trim())
  const tree = { origin, size: Number(size), root: decode(root ?? "") }
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size ?? "") || tree.root.length !== 32) throw new Error("not a checkpoint")
  return tree
}

async function isSigned(note, vkey) {
  const [name, id, ...rest] = vkey.trim().split("+")
  const typed = decode(rest.join("+"))
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  const head = new TextEncoder().encode(`${name}\n`)
  const keyId = (await sha256(head, typed)).subarray(0, 4)
  if (typed[0] !== 1 || typed.length !== 33 || hex(keyId) !== id) return false
  const key = await crypto.subtle.importKey("raw", typed.subarray(1), { name: "Ed25519" }, false, ["verify"])
  const end = note.lastIndexOf("\n\n")
  const text = note.slice(0, end + 1)
  if (parse(text).origin !== name) return false
  for (const line of note.slice(end + 2).split("\n")) {
    const [dash, by, encoded] = line.split(" ")
    if (dash !== "\u2014" || by !== name) continue
    const signature = decode(encoded)
    if (!isEqual(signature.subarray(0, 4), keyId)) continue
    return crypto.subtle.verify("Ed25519", key, signature.subarray(4), new TextEncoder().encode(text))
  }
  return false
}

function show(root, state) {
  if (!select(`[data-state=${state}]`, root)) return
  for (const part of root.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state
}

const verdict = async (work) => {
  try {
    return (await work()) ? "ok" : "bad"
  } catch (error) {
    return error instanceof DOMException && error.name === "NotSupportedError" ? "cannot" : "bad"
  }
}

const published = async () => (await fetch("/log/checkpoint", { credentials: "omit", cache: "no-store" })).text()
const number = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value)

async function badge(root) {
  const tree = parse(await published())
  const isRight = isEqual((await treeOf(tree.size)).root, tree.root)
  select("[data-tell=size]", root).textContent = number(tree.size)
  show(root, isRight ? "ok" : "bad")
}

async function entry(root) {
  const { index, size } = { index: Number(root.dataset.index), size: Number(root.dataset.size) }
  const signed = decode(root.dataset.root)
  const leaf = await leafHash(new TextEncoder().encode(select("#body").textContent))
  const proof = Array.from(document.querySelectorAll("[data-hash]"), (line) => decode(line.textContent))
  const start = Math.floor(index / WIDTH)
  const width = Math.min(WIDTH, size - start * WIDTH)
  const says = (name, work) => verdict(work).then((state) => show(select(`[data-check=${name}]`, root), state))
  await says("leaf", async () => isEqual((await tile(0, start, width))[index % WIDTH], leaf))
  await says("proof", () => isIncluded(index, size, leaf, proof, signed))
  await says("tree", async () => isEqual((await treeOf(size, index)).root, signed))
}

async function tree(root) {
  const check = (name) => select(`[data-check=${name}]`, root)
  const note = await published()
  const checkpoint = parse(note)
  show(check("root"), await verdict(async () => isEqual((await treeOf(checkpoint.size)).root, checkpoint.root)))
  select("[data-tell=root]", root).textContent = `(${number(checkpoint.size)})`
  const shown = select("#shown-key")
  if (shown) show(check("signature"), await verdict(() => isSigned(note, shown.textContent)))
  const asked = (field, name, work) =>
    field.addEventListener("input", async () => {
      const typed = field.value
      const state = typed.trim() ? await verdict(() => work(typed)) : "wait"
      if (field.value === typed) show(check(name), state)
    })
  asked(select("#vkey"), "pinned", (typed) => isSigned(note, typed))
  asked(select("#before"), "before", async (typed) => {
    const kept = parse(typed)
    const isOurs = kept.origin === checkpoint.origin && kept.size <= checkpoint.size
    return isOurs && isEqual((await treeOf(kept.size)).root, kept.root)
  })
}

const PAGES = { badge, entry, tree }
for (const root of document.querySelectorAll("[data-verify]")) {
  if (isCapable) PAGES[root.dataset.verify](root)
  else for (const part of root.querySelectorAll("[data-check]")) show(part, "cannot")
}

// The command to paste names this site as the browser knows it; a request's own word for it is anybody's.
for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin
