// Keys, dialogs and small comforts. Every page works without this file; nothing is kept in the browser.

const select = (query, root = document) => root.querySelector(query)
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]")
// Whether single keys do anything is a setting of this page alone: WCAG 2.1.4.
let keysAreOn = true
let waitsForPlace = false

function open(id) {
  const dialog = document.getElementById(id)
  if (!dialog || dialog.open) return
  dialog.showModal()
  const search = select("input[type=search]", dialog)
  search?.select()
  // With nothing typed, whom one worked with is found.
  if (id === "palette" && !search.value) search.dispatchEvent(new Event("input", { bubbles: true }))
}

function move(step) {
  const root = select("dialog[open]") ?? document
  const rows = [...root.querySelectorAll("a.row, tr[data-row] a")].filter((row) => row.offsetParent)
  if (!rows.length) return
  const here = rows.indexOf(document.activeElement)
  rows[Math.min(Math.max(here + step, 0), rows.length - 1)].focus()
}

// One more of what stands before the button, empty.
function addAnother(button) {
  const all = [...button.parentElement.querySelectorAll(":scope > input, :scope > [role=group]")]
  const next = all.at(-1).cloneNode(true)
  for (const input of next.matches("input") ? [next] : next.querySelectorAll("input")) {
    input.value = ""
    input.removeAttribute("aria-invalid")
  }
  all.at(-1).after(next)
  ;(next.matches("input") ? next : select("input", next)).focus()
}

const KEYS = {
  "?": () => open("keys"),
  "/": () => (select("[data-key-slash]") ? select("[data-key-slash]").focus() : open("palette")),
  n: () => act("[data-key-n]"),
  e: () => act("[data-key-e]"),
  f: () => act("[data-key-f]"),
  p: () => select("#top-reason")?.focus(),
  j: () => move(1),
  k: () => move(-1),
}

function act(query) {
  const target = select(query)
  if (!target) return
  if (isTyping(target)) target.focus()
  else target.click()
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    event.preventDefault()
    open("palette")
    return
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const form = event.target.closest("form[data-saves]") ?? select("form[data-saves]")
    if (form) {
      event.preventDefault()
      form.requestSubmit()
    }
    return
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const isInList = event.target.matches("input[type=search], a.row")
  if (isInList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault()
    move(event.key === "ArrowDown" ? 1 : -1)
    return
  }
  if (event.key === "Escape" && isTyping(event.target) && !select("dialog[open]")) {
    event.target.blur()
    return
  }
  if (!keysAreOn || isTyping(event.target) || select("dialog[open]")) return
  if (waitsForPlace) {
    waitsForPlace = false
    select(`.rail-place[data-key="${CSS.escape(event.key)}"]`)?.click()
    return
  }
  if (event.key === "g") {
    waitsForPlace = true
    setTimeout(() => (waitsForPlace = false), 1500)
    return
  }
  if (KEYS[event.key]) {
    event.preventDefault()
    KEYS[event.key]()
  }
})

document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-opens]")
  if (opens) {
    event.preventDefault()
    open(opens.dataset.opens)
  }
  const adds = event.target.closest("[data-adds]")
  if (adds) addAnother(adds)
  const dialog = event.target.closest("dialog")
  if (event.target.closest("[data-closes]") || event.target === dialog) dialog?.close()
  // One menu at a time; a click elsewhere closes it.
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false
  }
})

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.menu[open]")) select(".menu-form input", event.target)?.focus()
}, true)

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit()
  if (event.target.matches("[data-keys]")) keysAreOn = event.target.checked
})

for (const box of document.querySelectorAll("[data-keys]")) box.checked = keysAreOn

// A page out of the browser's memory may show somebody after the session has ended: it is asked for anew.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload()
})

// Times are the reader's: told once, and from then on it is what they choose under Me.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const told = document.documentElement.dataset.zone
if (told !== undefined && zone && told !== zone) {
  const body = new URLSearchParams({ zone, next: "/sign-in" })
  // A page that is left at once still tells it.
  fetch("/look", { method: "POST", body, redirect: "manual", keepalive: true })
}

// Boxes that never go together: those a ticked one excludes cannot be ticked.
function exclude(boxes) {
  const all = [...boxes.querySelectorAll("[data-excludes]")]
  const excluded = new Set(all.filter((box) => box.checked).flatMap((box) => box.dataset.excludes.split(" ")))
  for (const box of all) box.disabled = excluded.has(box.value)
}

for (const boxes of document.querySelectorAll("[data-boxes]")) {
  boxes.addEventListener("change", () => exclude(boxes))
  exclude(boxes)
}
