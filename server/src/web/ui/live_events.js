// Follows the audit log: what happens is put on top of the list, until somebody stops it, leaves, or may look no more.
const MOST_ROWS = 200
const TOLD_EVERY_MS = 3000
const MOST_TRIES = 4

const live = document.getElementById('live')
const list = document.getElementById('list')
const [look, button, status, template] = live.children
const { url, stop, on, news, lost, ended, refused, missed } = live.dataset
const start = button.textContent
const idOf = (row) => new URL(row.querySelector('a').href).searchParams.get('event_id')

let wanted = false
let source
let last_id
let count = 0
let told_at = 0
let telling
let tries = 0

look.hidden = true
button.hidden = false
button.addEventListener('click', () => {
  wanted = !wanted
  count = 0
  tries = 0
  show(wanted ? on : '')
  listen()
})
// Nobody looks at a page that is hidden.
document.addEventListener('visibilitychange', listen)
window.addEventListener('pagehide', () => source?.close())

function listen() {
  button.setAttribute('aria-pressed', String(wanted))
  button.textContent = wanted ? stop : start
  const is_open = source !== undefined
  if (is_open === (wanted && !document.hidden)) return
  source?.close()
  source = undefined
  if (is_open) return
  const from = new URL(url, location.href)
  if (last_id !== undefined) from.searchParams.set('after', last_id)
  source = new EventSource(from)
  source.addEventListener('message', ({ data, lastEventId }) => {
    last_id = lastEventId
    add(JSON.parse(data))
  })
  source.addEventListener('here', ({ lastEventId }) => {
    last_id = lastEventId
  })
  source.addEventListener('missed', () => show(missed))
  source.addEventListener('end', () => finish(ended))
  source.addEventListener('open', () => {
    tries = 0
    if (status.textContent === lost) show(on)
  })
  source.addEventListener('error', () => {
    show(lost)
    if (source?.readyState !== EventSource.CLOSED) return
    // Any other answer ends it for the browser; a proxy whose server starts anew gives such a one for some seconds.
    source = undefined
    if (++tries > MOST_TRIES) finish(refused)
    else setTimeout(listen, 1000 * tries)
  })
}

function finish(words) {
  wanted = false
  listen()
  show(words)
}

function show(words) {
  clearTimeout(telling)
  telling = undefined
  status.textContent = words
}

// Whoever listens to the page hears how many there are every few seconds, and not each by itself.
function tell() {
  telling ??= setTimeout(
    () => {
      told_at = Date.now()
      show(news.replace('{n}', new Intl.NumberFormat(document.documentElement.lang).format(count)))
    },
    Math.max(0, told_at + TOLD_EVERY_MS - Date.now()),
  )
}

function add({ event_id, at, when, event, actor, target }) {
  // Into this document: links of a template lead nowhere.
  const sample = document.importNode(template.content, true)
  if (!list.querySelector('tbody')) {
    const empty = sample.cloneNode(true)
    empty.querySelector('tbody').replaceChildren()
    list.replaceChildren(empty)
  }
  const body = list.querySelector('tbody')
  const rows = [...body.rows]
  if (rows.some((row) => idOf(row) === event_id)) return
  const row = sample.querySelector('tbody tr')
  const time = row.querySelector('time')
  time.dateTime = at
  time.textContent = when
  const link = row.querySelector('a')
  link.search = new URLSearchParams({ event_id }).toString()
  link.querySelector('code').textContent = event
  const [by, about] = row.querySelectorAll('bdi')
  by.textContent = actor
  about.textContent = target
  body.prepend(row)
  for (const old of rows.slice(MOST_ROWS - 1)) old.remove()
  goOnFrom(body)
  count++
  tell()
}

// The next page begins where this one ends.
function goOnFrom(body) {
  const next = [...document.querySelectorAll('.pages a')].at(-1)
  if (!next) return
  const to = new URL(next.href)
  to.searchParams.set('cursor', idOf(body.rows[body.rows.length - 1]))
  next.search = to.search
}
